import { assertEquals, assertRejects } from "@std/assert";
import { CorruptionError } from "../../../../src/kloset/mod.ts";
import { bulkLoadBTree, comparePaths, ResourceType } from "../../../../src/kloset/format/mod.ts";
import {
  asCorruption,
  ERROR_TREE,
  TreeReader,
  VFS_TREE,
} from "../../../../src/kloset/snapshot/tree_reader.ts";
import { BlobBench } from "../_blob_bench.ts";

const ITEMS = Array.from({ length: 200 }, (_, i) => ({
  key: `/${i % 7}/${i}`,
  value: new Uint8Array(32).fill(i),
})).sort((a, b) => comparePaths(a.key, b.key));

function addTree(bench: BlobBench): { root: Uint8Array; nodes: Uint8Array[] } {
  const nodes: Uint8Array[] = [];
  const root = bulkLoadBTree(ITEMS, VFS_TREE.order, (node) => {
    const mac = bench.add(VFS_TREE.nodeType, node);
    nodes.push(mac);
    return mac;
  }, 10);
  return { root: bench.add(VFS_TREE.rootType, root), nodes };
}

Deno.test("TreeReader gives all items in order, and the value of each key", async () => {
  using bench = await BlobBench.make();
  const tree = new TreeReader(bench.blobs, addTree(bench).root, VFS_TREE);
  assertEquals(await Array.fromAsync(tree.items()), ITEMS);
  for (const { key, value } of ITEMS) assertEquals(await tree.get(key), value);
  assertEquals(await tree.get("/no"), undefined);
});

Deno.test("TreeReader looks for blobs of its own kind only", async () => {
  using bench = await BlobBench.make();
  const tree = new TreeReader(bench.blobs, addTree(bench).root, ERROR_TREE);
  await assertRejects(() => tree.get("/0/0"), CorruptionError, "ERROR_BTREE");
});

Deno.test("TreeReader says what of a tree is malformed", async () => {
  using bench = await BlobBench.make();
  const root = bench.add(ResourceType.VFS_BTREE, new Uint8Array([0xc1]));
  const tree = new TreeReader(bench.blobs, root, VFS_TREE);
  await assertRejects(() => tree.get("/"), CorruptionError);
  await assertRejects(() => Array.fromAsync(tree.items()), CorruptionError);
});

Deno.test("asCorruption() passes on what is no damage", async () => {
  assertEquals(await asCorruption(() => 5), 5);
  const failure = new Error("disk full");
  const error = await assertRejects(() => asCorruption(() => Promise.reject(failure)));
  assertEquals(error, failure);
});
