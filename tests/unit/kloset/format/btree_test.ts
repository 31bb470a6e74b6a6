import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  assert as property,
  asyncProperty,
  constantFrom,
  integer,
  string,
  tuple,
  uniqueArray,
} from "fast-check";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  btreeGet,
  type BTreeItem,
  btreeIterate,
  type BTreeNode,
  bulkLoadBTree,
  compareBytes,
  comparePaths,
  decodeBTreeNode,
  decodeBTreeRoot,
  encodeBTreeNode,
  encodeBTreeRoot,
  FormatError,
  type LoadNode,
  type Mac,
  macFromHex,
  macToHex,
} from "../../../../src/kloset/format/mod.ts";
import { blake3 } from "./_blake3.ts";
import {
  EMPTY_NODE,
  EMPTY_NODE_MAC,
  EMPTY_ROOT,
  EMPTY_ROOT_MAC,
  FILE_ENTRY_MAC,
  MAC_KEY,
  ROOT_ENTRY_MAC,
  VFS_NODE,
  VFS_NODE_MAC,
  VFS_ROOT_MAC,
} from "./_vectors.ts";

const mac = blake3(MAC_KEY);

/** Nodes in memory, by their MACs, in the order in which they were stored. */
class NodeStore {
  readonly nodes = new Map<string, Uint8Array>();

  readonly store = (bytes: Uint8Array): Mac => {
    const id = mac(bytes);
    this.nodes.set(macToHex(id), bytes);
    return id;
  };

  readonly load: LoadNode = (id) => {
    const bytes = this.nodes.get(macToHex(id));
    return bytes === undefined
      ? Promise.reject(new Error(`no node ${macToHex(id)}`))
      : Promise.resolve(decodeBTreeNode(bytes));
  };
}

function itemsOf(keys: readonly string[]): BTreeItem[] {
  return keys.map((key) => ({ key, value: mac(new TextEncoder().encode(key)) }));
}

/** Keys `k000000`, `k000001`, ... */
function numbered(count: number): BTreeItem[] {
  return itemsOf(Array.from({ length: count }, (_, i) => `k${String(i).padStart(6, "0")}`));
}

function build(items: readonly BTreeItem[], compare = compareBytes, order?: number) {
  const store = new NodeStore();
  const rootBytes = bulkLoadBTree(items, compare, store.store, order);
  return { ...store, root: decodeBTreeRoot(rootBytes).root, rootBytes };
}

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

const anyKeys = uniqueArray(
  string({ unit: constantFrom("a", "b", "/", "é", "\ue000", "\u{1f600}"), maxLength: 5 }),
  { maxLength: 200 },
);

Deno.test("btreeGet and btreeIterate find what bulkLoadBTree was given", async () => {
  for (const compare of [compareBytes, comparePaths]) {
    await property(asyncProperty(
      anyKeys,
      tuple(integer({ min: 3, max: 9 }), string({ maxLength: 3 })),
      async (keys, [order, probe]) => {
        const items = itemsOf(keys.toSorted(compare));
        const { root, load } = build(items, compare, order);
        assertEquals(await Array.fromAsync(btreeIterate(root, compare, load)), items);
        for (const { key, value } of items) {
          assertEquals(await btreeGet(root, key, compare, load), value);
        }
        for (const from of [probe, ...keys.slice(0, 3)]) {
          const found = items.find((item) => item.key === from)?.value;
          assertEquals(await btreeGet(root, from, compare, load), found);
          assertEquals(
            await Array.fromAsync(btreeIterate(root, compare, load, { from })),
            items.filter((item) => compare(item.key, from) >= 0),
          );
        }
      },
    ));
  }
});

Deno.test("btreeIterate loads only the nodes that it needs", async () => {
  const { root, load } = build(numbered(5000));
  let loads = 0;
  const counted: LoadNode = (id) => {
    loads++;
    return load(id);
  };
  for await (const { key } of btreeIterate(root, compareBytes, counted, { from: "k002500" })) {
    assertEquals(key, "k002500");
    break;
  }
  assertEquals(loads, 3);
});

const [ROOT, LEFT, RIGHT] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));

/** A tree of the nodes 1, 2, 3; node 1 is the root. */
function tree(...nodes: Partial<BTreeNode>[]): LoadNode {
  return (id) => {
    const node = nodes[(id[0] ?? 0) - 1];
    if (node === undefined) return Promise.reject(new Error("no such node"));
    return Promise.resolve({
      version: 0,
      keys: [],
      pointers: [],
      values: (node.keys ?? []).map(() => ROOT!),
      next: undefined,
      ...node,
    });
  };
}

const hostileTrees: [name: string, load: LoadNode][] = [
  ["a node that is its own child", tree({ keys: ["m"], pointers: [ROOT!, ROOT!], values: [] })],
  ["an endless chain of single children", tree({ pointers: [ROOT!] })],
  [
    "nodes that share an empty leaf",
    tree({ keys: ["m"], pointers: [LEFT!, LEFT!], values: [] }, {}),
  ],
  ["keys out of order in a leaf", tree({ keys: ["b", "a"] })],
  ["the same key twice", tree({ keys: ["a", "a"] })],
  [
    "keys out of order in an inner node",
    tree({ keys: ["m", "c"], pointers: [LEFT!, LEFT!, RIGHT!], values: [] }, { keys: ["a"] }, {
      keys: ["x"],
    }),
  ],
  [
    "a key beyond its branch",
    tree({ keys: ["m"], pointers: [LEFT!, RIGHT!], values: [] }, { keys: ["z"] }, { keys: ["z"] }),
  ],
  [
    "a key before its branch",
    tree({ keys: ["m"], pointers: [LEFT!, RIGHT!], values: [] }, { keys: ["a"] }, { keys: ["b"] }),
  ],
];

for (const [name, load] of hostileTrees) {
  Deno.test(`btreeIterate refuses ${name}`, async () => {
    await assertRejects(
      () => Array.fromAsync(btreeIterate(ROOT!, compareBytes, load)),
      FormatError,
    );
  });
  Deno.test(`btreeGet ends with ${name}`, async () => {
    for (const key of ["", "a", "b", "m", "z"]) {
      try {
        assertEquals(await btreeGet(ROOT!, key, compareBytes, load) ?? ROOT, ROOT);
      } catch (error) {
        assert(error instanceof FormatError);
      }
    }
  });
}

Deno.test("btreeGet refuses nodes out of order on its way", async () => {
  const load = tree({ keys: ["m"], pointers: [LEFT!, RIGHT!], values: [] }, { keys: ["z"] }, {
    keys: ["z"],
  });
  await assertRejects(() => btreeGet(ROOT!, "a", compareBytes, load), FormatError);
  const endless = tree({ pointers: [ROOT!] });
  await assertRejects(() => btreeGet(ROOT!, "a", compareBytes, endless), FormatError, "deeper");
});

Deno.test("btreeGet and btreeIterate pass on why a node cannot be loaded", async () => {
  const load = tree({ keys: ["m"], pointers: [LEFT!, RIGHT!], values: [] });
  await assertRejects(() => btreeGet(ROOT!, "a", compareBytes, load), Error, "no such node");
  await assertRejects(
    () => Array.fromAsync(btreeIterate(ROOT!, compareBytes, load)),
    Error,
    "no such node",
  );
});

Deno.test("decodeBTreeNode and decodeBTreeRoot survive damage", () => {
  assertFailsCleanly(VFS_NODE, decodeBTreeNode, FormatError);
  assertFailsCleanly(EMPTY_ROOT, decodeBTreeRoot, FormatError);
  for (const bytes of build(numbered(51)).nodes.values()) {
    assertFailsCleanly(bytes, decodeBTreeNode, FormatError, { count: 200 });
  }
});
