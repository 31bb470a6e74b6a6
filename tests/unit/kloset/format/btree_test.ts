import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  assert as property,
  asyncProperty,
  constantFrom,
  integer,
  string,
  tuple,
  uniqueArray,
} from "fast-check";
import {
  btreeGet,
  btreeIterate,
  type BTreeNode,
  compareBytes,
  comparePaths,
  FormatError,
  type LoadNode,
} from "../../../../src/kloset/format/mod.ts";
import { build, itemsOf, numbered } from "./_btrees.ts";

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
