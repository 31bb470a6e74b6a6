import { assertEquals } from "@std/assert";
import { groupJson, groupTable } from "../../../../../src/cli/commands/snapshots/list.ts";
import { type BackupGroup, formatLocalTime } from "../../../../../src/infrahub/mod.ts";

const DATE = new Date("2026-03-18T14:30:02Z");
const GROUP: BackupGroup = {
  backupId: "20260318_143000",
  name: "20260318_143000",
  origin: {
    deployment: { place: { kind: "docker", target: "site-a", host: "host1" } },
    host: "host1",
    run: "0123456789abcdef",
  },
  date: DATE,
  madeAfter: undefined,
  status: "complete",
  infrahubVersion: "1.2.0",
  neo4jEdition: "enterprise",
  expected: ["neo4j", "metadata"],
  missing: [],
  members: [
    { snapshotId: "ab".repeat(32), component: "neo4j", timestamp: DATE },
    { snapshotId: "cd".repeat(32), component: "metadata", timestamp: DATE },
  ],
  redacted: false,
};

Deno.test("groupTable keeps the Go tool's columns, and cuts nothing", () => {
  const date = formatLocalTime(DATE);
  const long = {
    ...GROUP,
    name: "20260318_143000.01234567",
    infrahubVersion: "1.2.0-a-very-long-version",
    status: "incomplete",
    origin: { host: "host2" },
  };
  assertEquals(
    groupTable([GROUP, long as BackupGroup]),
    "BACKUP ID             DATE                       STATUS      INFRAHUB VERSION   " +
      "NEO4J EDITION   COMPONENTS                 ORIGIN\n" +
      `20260318_143000       ${date.padEnd(25)}  complete    1.2.0              ` +
      "enterprise      neo4j, metadata            site-a@host1\n" +
      `20260318_143000.01234567  ${date.padEnd(25)}  incomplete  1.2.0-a-very-long-version  ` +
      "enterprise      neo4j, metadata            ?@host2\n",
  );
});

Deno.test("groupJson has the Go tool's fields in their order", () => {
  assertEquals(
    JSON.stringify(groupJson(GROUP)),
    `{"backup_id":"20260318_143000","date":"${formatLocalTime(DATE)}","status":"complete",` +
      `"infrahub_version":"1.2.0","neo4j_edition":"enterprise","components":["neo4j","metadata"],` +
      `"snapshots":[{"snapshot_id":"abababababababab","component":"neo4j"},` +
      `{"snapshot_id":"cdcdcdcdcdcdcdcd","component":"metadata"}],` +
      `"origin":{"environment":"docker","target":"site-a","environment_host":"host1",` +
      `"host":"host1","run":"0123456789abcdef"}}`,
  );
  const { expected: _, ...rest } = GROUP;
  const bare = groupJson({ ...rest, expected: undefined, redacted: true });
  assertEquals([bare.components, bare.redacted], [null, true]);
});
