import { assertEquals, assertThrows } from "@std/assert";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  type BTreeNode,
  decodeBTreeNode,
  decodeBTreeRoot,
  encodeBTreeNode,
  encodeBTreeRoot,
  FormatError,
} from "../../../../src/kloset/format/mod.ts";
import { build, numbered } from "./_btrees.ts";
import { EMPTY_ROOT, VFS_NODE } from "./_vectors.ts";

Deno.test("decodeBTreeNode and decodeBTreeRoot undo their encoders", () => {
  const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const nodes: BTreeNode[] = [
    { version: 0, keys: [], pointers: [], values: [], next: undefined },
    { version: 0, keys: ["x"], pointers: [], values: [a], next: b },
    { version: 0, keys: ["x"], pointers: [a, b], values: [], next: undefined },
  ];
  for (const node of nodes) assertEquals(decodeBTreeNode(encodeBTreeNode(node)), node);
  assertEquals(decodeBTreeRoot(encodeBTreeRoot(a, 77)), {
    version: 0,
    order: 77,
    count: 0,
    root: a,
  });
});

Deno.test("decodeBTreeNode refuses nodes with a wrong number of children or values", () => {
  const a = new Uint8Array(32);
  const node: BTreeNode = { version: 0, keys: ["x"], pointers: [], values: [a], next: undefined };
  for (
    const changes of [
      { values: [] },
      { values: [a, a] },
      { keys: [] },
      { pointers: [a, a] },
      { pointers: [a], values: [] },
      { pointers: [a, a, a], values: [] },
    ]
  ) {
    assertThrows(() => decodeBTreeNode(encodeBTreeNode({ ...node, ...changes })), FormatError);
  }
});

Deno.test("decodeBTreeNode and decodeBTreeRoot survive damage", () => {
  assertFailsCleanly(VFS_NODE, decodeBTreeNode, FormatError);
  assertFailsCleanly(EMPTY_ROOT, decodeBTreeRoot, FormatError);
  for (const bytes of build(numbered(51)).nodes.values()) {
    assertFailsCleanly(bytes, decodeBTreeNode, FormatError, { count: 200 });
  }
});
