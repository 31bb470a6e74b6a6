import { assertEquals } from "@std/assert";
import { reportJson, reportText } from "../../../../../src/cli/commands/snapshots/check.ts";
import type { CheckReport } from "../../../../../src/infrahub/mod.ts";

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
