import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  bulkLoadBTree,
  compareBytes,
  comparePaths,
  decodeBTreeNode,
  encodeBTreeNode,
  macFromHex,
  macToHex,
} from "../../../../src/kloset/format/mod.ts";
import {
  EMPTY_NODE,
  EMPTY_NODE_MAC,
  EMPTY_ROOT,
  EMPTY_ROOT_MAC,
  FILE_ENTRY_MAC,
  ROOT_ENTRY_MAC,
  VFS_NODE,
  VFS_NODE_MAC,
  VFS_ROOT_MAC,
} from "./_vectors.ts";
import { build, itemsOf, mac, NodeStore, numbered } from "./_btrees.ts";

Deno.test("bulkLoadBTree writes the empty tree that Go wrote", () => {
  const { nodes, rootBytes } = build([]);
  assertEquals([...nodes], [[EMPTY_NODE_MAC, EMPTY_NODE]]);
  assertEquals(rootBytes, EMPTY_ROOT);
  assertEquals(macToHex(mac(rootBytes)), EMPTY_ROOT_MAC);
});

Deno.test("bulkLoadBTree writes the VFS tree that Go wrote", () => {
  const { nodes, rootBytes } = build([
    { key: "/", value: macFromHex(ROOT_ENTRY_MAC) },
    { key: "/prefect.dump", value: macFromHex(FILE_ENTRY_MAC) },
  ], comparePaths);
  assertEquals([...nodes], [[VFS_NODE_MAC, VFS_NODE]]);
  assertEquals(macToHex(mac(rootBytes)), VFS_ROOT_MAC);
});

Deno.test("bulkLoadBTree keeps to the order, and chains all leaves by their next", () => {
  for (const order of [3, 4, 50]) {
    for (const count of [1, 2, 3, 48, 49, 50, 98, 99, 2450, 2451]) {
      const items = numbered(count);
      const { nodes } = build(items, compareBytes, order);
      const decoded = [...nodes.values()].map(decodeBTreeNode);
      for (const node of decoded) {
        assert(node.keys.length <= order - 1);
        assert(node.keys.length >= 1 || node.pointers.length > 0);
        assertEquals(node.pointers.length > 0, node.values.length === 0);
      }
      // Leaves are stored first, the rightmost one before all others.
      const leaves = decoded.filter((node) => node.pointers.length === 0).reverse();
      assertEquals(leaves.flatMap((leaf) => leaf.keys), items.map((item) => item.key));
      leaves.forEach((leaf, i) => {
        const right = leaves[i + 1];
        assertEquals(leaf.next, right === undefined ? undefined : mac(encodeBTreeNode(right)));
      });
    }
  }
});

Deno.test("bulkLoadBTree fills two levels before it starts a third", () => {
  assertEquals(build(numbered(49)).nodes.size, 1);
  assertEquals(build(numbered(50)).nodes.size, 3);
  assertEquals(build(numbered(50 * 49)).nodes.size, 51);
  assertEquals(build(numbered(50 * 49 + 1)).nodes.size, 54);
});

Deno.test("bulkLoadBTree refuses items out of order, and orders that readers refuse", () => {
  const { store } = new NodeStore();
  for (const keys of [["b", "a"], ["a", "a"], ["/a/b", "/c"]]) {
    assertThrows(() => bulkLoadBTree(itemsOf(keys), comparePaths, store), RangeError);
  }
  assertThrows(() => bulkLoadBTree([], compareBytes, store, 2), RangeError);
});
