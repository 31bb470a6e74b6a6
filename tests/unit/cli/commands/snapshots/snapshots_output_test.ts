import { assertEquals } from "@std/assert";
import { reportJson, reportText } from "../../../../../src/cli/commands/snapshots/check.ts";
import { groupJson, groupTable } from "../../../../../src/cli/commands/snapshots/list.ts";
import {
  type BackupGroup,
  type CheckReport,
  formatLocalTime,
} from "../../../../../src/infrahub/mod.ts";

const DATE = new Date("2026-03-18T14:30:02Z");
const GROUP: BackupGroup = {
  backupId: "20260318_143000",
  date: DATE,
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
  const long = { ...GROUP, infrahubVersion: "1.2.0-a-very-long-version", status: "incomplete" };
  assertEquals(
    groupTable([GROUP, long as BackupGroup]),
    "BACKUP ID             DATE                       STATUS      INFRAHUB VERSION   " +
      "NEO4J EDITION   COMPONENTS\n" +
      `20260318_143000       ${date.padEnd(25)}  complete    1.2.0              ` +
      "enterprise      neo4j, metadata\n" +
      `20260318_143000       ${date.padEnd(25)}  incomplete  1.2.0-a-very-long-version  ` +
      "enterprise      neo4j, metadata\n",
  );
});

Deno.test("groupJson has the Go tool's fields in their order", () => {
  assertEquals(
    JSON.stringify(groupJson(GROUP)),
    `{"backup_id":"20260318_143000","date":"${formatLocalTime(DATE)}","status":"complete",` +
      `"infrahub_version":"1.2.0","neo4j_edition":"enterprise","components":["neo4j","metadata"],` +
      `"snapshots":[{"snapshot_id":"abababababababab","component":"neo4j"},` +
      `{"snapshot_id":"cdcdcdcdcdcdcdcd","component":"metadata"}]}`,
  );
  const { expected: _, ...rest } = GROUP;
  const bare = groupJson({ ...rest, expected: undefined, redacted: true });
  assertEquals([bare.components, bare.redacted], [null, true]);
});

const REPORT: CheckReport = {
  damagedStates: [{ id: "5a".repeat(32), message: "MAC mismatch" }],
  snapshots: [
    { snapshotId: "ab".repeat(32), backupId: "A", component: "neo4j", damage: [] },
    { snapshotId: "cd".repeat(32), backupId: "A", component: "postgres", damage: [] },
  ],
  damage: [{
    snapshot: "cd".repeat(32),
    path: "/prefect.dump",
    message: "MAC mismatch",
    chunk: "c1",
    packfile: "f1",
  }],
  damagedGroups: [{ backupId: "A", components: ["postgres"] }],
};

Deno.test("reportText lists damage with all its places, then the groups", () => {
  assertEquals(
    reportText(REPORT, false),
    `DAMAGED  state ${"5a".repeat(32)}: MAC mismatch\n` +
      "DAMAGED  snapshot cdcdcdcdcdcdcdcd, /prefect.dump, chunk c1, packfile f1: MAC mismatch\n" +
      "Damaged backup A: postgres\n" +
      "2 snapshots checked: damage found\n",
  );
  assertEquals(
    reportText({ ...REPORT, damagedStates: [], damage: [], damagedGroups: [] }, true),
    "2 snapshots checked (structure only): no damage found\n",
  );
});

Deno.test("reportJson is not ok when a state alone is damaged", () => {
  assertEquals(reportJson({ ...REPORT, damage: [] }, false).ok, false);
  assertEquals(reportJson({ ...REPORT, damage: [], damagedStates: [] }, false).ok, true);
  assertEquals(reportJson(REPORT, true).damage, [{
    snapshot_id: "cdcdcdcdcdcdcdcd",
    path: "/prefect.dump",
    chunk: "c1",
    packfile: "f1",
    message: "MAC mismatch",
  }]);
});
