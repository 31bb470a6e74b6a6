import { assertEquals, assertThrows } from "@std/assert";
import {
  deriveGroups,
  type GroupableSnapshot,
  selectGroup,
} from "../../../../src/infrahub/catalogue/group.ts";
import { formatLocalTime } from "../../../../src/infrahub/mod.ts";
import { BackupGroupError } from "../../../../src/infrahub/errors.ts";

function snapshot(
  id: string,
  time: string,
  backupId: string | undefined,
  component: string,
  extra: string[] = ["infrahub.components=neo4j,postgres,metadata"],
): GroupableSnapshot {
  return {
    identifier: id.padEnd(64, "0"),
    timestamp: new Date(time),
    tags: [
      ...(backupId ? [`infrahub.backup-id=${backupId}`] : []),
      `infrahub.component=${component}`,
      ...extra,
    ],
  };
}

const COMPLETE = [
  snapshot("c3", "2026-01-01T10:00:09Z", "A", "metadata"),
  snapshot("c1", "2026-01-01T10:00:00Z", "A", "neo4j"),
  snapshot("c2", "2026-01-01T10:00:05Z", "A", "postgres"),
];
const INCOMPLETE = [snapshot("d1", "2026-01-02T10:00:00Z", "B", "neo4j")];

Deno.test("deriveGroups takes the earliest member's date and a fixed component order", () => {
  const [group, ...others] = deriveGroups(COMPLETE);
  assertEquals(others, []);
  assertEquals(group?.date, new Date("2026-01-01T10:00:00Z"));
  assertEquals(group?.status, "complete");
  assertEquals(group?.members.map((member) => member.component), ["neo4j", "postgres", "metadata"]);
});

Deno.test("deriveGroups puts the newest group first and derives its status", () => {
  const groups = deriveGroups([...COMPLETE, ...INCOMPLETE]);
  assertEquals(groups.map(({ backupId, status, missing }) => [backupId, status, missing]), [
    ["B", "incomplete", ["postgres", "metadata"]],
    ["A", "complete", []],
  ]);
});

Deno.test("deriveGroups becomes complete when a missing component is added later", () => {
  const later = [
    ...INCOMPLETE,
    snapshot("d2", "2026-02-01T00:00:00Z", "B", "metadata"),
    snapshot("d3", "2026-02-02T00:00:00Z", "B", "postgres"),
  ];
  const [group] = deriveGroups(later);
  assertEquals(group?.status, "complete");
  assertEquals(group?.date, new Date("2026-01-02T10:00:00Z"));
});

Deno.test("deriveGroups does not trust the stored status", () => {
  const [group] = deriveGroups([
    snapshot("e1", "2026-01-01T00:00:00Z", "C", "neo4j", [
      "infrahub.backup-status=complete",
      "infrahub.components=neo4j,metadata",
    ]),
  ]);
  assertEquals(group?.status, "incomplete");
});

Deno.test("deriveGroups leaves out foreign snapshots; without expectations all is complete", () => {
  const groups = deriveGroups([
    snapshot("f1", "2026-01-01T00:00:00Z", undefined, "neo4j"),
    snapshot("f2", "2026-01-01T00:00:00Z", "D", "neo4j", []),
  ]);
  assertEquals(groups.map(({ backupId, status, expected }) => [backupId, status, expected]), [
    ["D", "complete", undefined],
  ]);
});

Deno.test("selectGroup prefers the newest complete group", () => {
  assertEquals(selectGroup(deriveGroups([...COMPLETE, ...INCOMPLETE])).backupId, "A");
  assertEquals(selectGroup(deriveGroups(INCOMPLETE)).backupId, "B");
  assertEquals(selectGroup(deriveGroups([...COMPLETE, ...INCOMPLETE]), "B").backupId, "B");
});

Deno.test("selectGroup says which groups there are", () => {
  const groups = deriveGroups([...COMPLETE, ...INCOMPLETE]);
  const [b, a] = groups.map((group) => formatLocalTime(group.date));
  assertThrows(
    () => selectGroup(groups, "X"),
    BackupGroupError,
    `backup group not found: X\nAvailable groups:\n  B (${b}, incomplete)\n  A (${a}, complete)`,
  );
  assertThrows(
    () => selectGroup([], "X"),
    BackupGroupError,
    "backup group not found: X (repository contains no backup groups)",
  );
  assertThrows(() => selectGroup([]), BackupGroupError, "no backup groups found in repository");
});
