import { assertEquals } from "@std/assert";
import {
  describeLeftover,
  type Leftover,
  parseLeftover,
} from "../../../../src/infrahub/unfinished/leftover.ts";

const ALL: readonly Leftover[] = [
  { kind: "services", services: ["cache", "task-worker"] },
  { kind: "directory", service: "database", path: "/tmp/x" },
  { kind: "held-neo4j", pid: 7, startTime: "12", directory: "/tmp/w" },
  { kind: "stopped-neo4j" },
  {
    kind: "staged-neo4j",
    database: "neo4j",
    directories: ["/d", "/t"],
    stage: "infrahub-restore-1",
    former: "neo4j.before-1",
  },
  { kind: "replaced-neo4j", database: "neo4j", step: "replacing" },
  { kind: "storage", path: "/opt/infrahub/storage", name: "x" },
  { kind: "postgres", database: "p", fresh: "p_r", old: "p_b", existed: true },
];

Deno.test("parseLeftover() reads what was written, and describeLeftover() tells each apart", () => {
  for (const leftover of ALL) {
    assertEquals(parseLeftover(JSON.parse(JSON.stringify(leftover))), leftover);
  }
  assertEquals(new Set(ALL.map(describeLeftover)).size, ALL.length);
});

Deno.test("parseLeftover() takes nothing that lacks a part, or has an empty one", () => {
  assertEquals(parseLeftover(null), undefined);
  assertEquals(parseLeftover({ kind: "toString" }), undefined);
  assertEquals(parseLeftover({ kind: "of a later version" }), undefined);
  for (const leftover of ALL) {
    for (const key of Object.keys(leftover).filter((name) => name !== "kind")) {
      const { [key]: _, ...others } = leftover as Record<string, unknown>;
      assertEquals(parseLeftover(others), undefined, `${leftover.kind} without ${key}`);
      const empty = { ...leftover, [key]: "" };
      assertEquals(parseLeftover(empty), undefined, `${leftover.kind} with an empty ${key}`);
    }
  }
  const [, , , , staged] = ALL;
  assertEquals(parseLeftover({ ...staged, directories: ["/d"] }), undefined);
});
