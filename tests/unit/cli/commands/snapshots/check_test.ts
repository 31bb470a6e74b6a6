import { assertEquals } from "@std/assert";
import { reportJson, reportText } from "../../../../../src/cli/commands/snapshots/check.ts";
import type { BackupGroup, CheckReport } from "../../../../../src/infrahub/mod.ts";

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
  incompleteGroups: [],
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

Deno.test("reportText and reportJson tell what is incomplete, which is no damage", () => {
  const sound = { ...REPORT, damagedStates: [], damage: [], damagedGroups: [] };
  const incomplete: BackupGroup = {
    backupId: "B",
    name: "B",
    origin: { deployment: { name: "prod" }, host: "host1", run: "0123456789abcdef" },
    date: new Date("2026-03-18T14:30:02Z"),
    madeAfter: undefined,
    status: "incomplete",
    infrahubVersion: "1.2.0",
    neo4jEdition: "enterprise",
    expected: ["neo4j", "postgres"],
    missing: ["postgres"],
    members: [],
    redacted: false,
  };
  const report = { ...sound, incompleteGroups: [incomplete] };
  assertEquals(
    reportText(report, false),
    "Incomplete backup B of prod (missing: postgres): " +
      '"create --resume B" adds what is missing\n' +
      "2 snapshots checked: no damage found, 1 backups incomplete\n",
  );
  const { ok, incomplete_groups } = reportJson(report, false);
  assertEquals([ok, incomplete_groups.map(({ missing }) => missing)], [true, [["postgres"]]]);
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
