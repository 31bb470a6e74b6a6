import {
  bulkLoadBTree,
  emptyBelowSummary,
  emptyDirectorySummary,
  encodeObject,
  encodeVfsEntry,
  fileMode,
  type Header,
  type HeaderIndex,
  type HeaderSource,
  type Mac,
  newFileInfo,
  newVfsEntry,
  NIL_UUID,
  ResourceType,
  VERSION_1_0_0,
} from "../../../src/kloset/format/mod.ts";
import {
  ERROR_TREE,
  INDEX_TREE,
  type TreeShape,
  VFS_TREE,
  XATTR_TREE,
} from "../../../src/kloset/snapshot/tree_reader.ts";
import type { BlobBench } from "./_blob_bench.ts";

/** A header of one empty source, with what is given instead. */
export function headerOf(changes: Partial<Header> = {}): Header {
  const none = new Uint8Array(32);
  return {
    version: VERSION_1_0_0,
    identifier: new Uint8Array(32).fill(0x5e),
    timestampNs: 1n,
    durationNs: 0n,
    identity: { identifier: NIL_UUID, publicKey: undefined },
    name: "",
    category: "",
    environment: "",
    perimeter: "",
    job: "",
    replicas: 1,
    dataset: "",
    dataClasses: [],
    classifications: [],
    tags: [],
    context: [],
    sources: [{
      importer: { type: "test", origin: "here", directory: "/" },
      context: [],
      root: none,
      xattrs: none,
      errors: none,
      indexes: [],
      summary: { directory: emptyDirectorySummary(), below: emptyBelowSummary() },
    }],
    ...changes,
  };
}

/** Values by key. */
export type Items = Readonly<Record<string, Mac>>;

/** Stores a tree and returns the id of its root. */
export function addTree(bench: BlobBench, shape: TreeShape, items: Items = {}): Mac {
  const sorted = Object.entries(items)
    .map(([key, value]) => ({ key, value }))
    .sort((a, b) => shape.order(a.key, b.key));
  const root = bulkLoadBTree(sorted, shape.order, (node) => bench.add(shape.nodeType, node));
  return bench.add(shape.rootType, root);
}

/** Stores a content of these chunks and returns the id of its object. */
export function addObject(bench: BlobBench, ...chunks: readonly Uint8Array[]): Mac {
  return bench.add(
    ResourceType.OBJECT,
    encodeObject({
      version: VERSION_1_0_0,
      contentMac: bench.mac.of(...chunks),
      chunks: chunks.map((bytes) => ({
        version: VERSION_1_0_0,
        contentMac: bench.add(ResourceType.CHUNK, bytes),
        length: bytes.length,
        entropy: 0,
        flags: 0,
      })),
      contentType: "",
      entropy: 0,
      flags: 0,
    }),
  );
}

/** Stores the entry of a file in `/` and returns its id. */
export function addFileEntry(bench: BlobBench, name: string, object: Mac, size: number): Mac {
  const fileInfo = newFileInfo({ name, mode: fileMode("file", 0o600), size });
  return bench.add(
    ResourceType.VFS_ENTRY,
    encodeVfsEntry(newVfsEntry({ parentPath: "/", fileInfo, object })),
  );
}

/** Stores an index and returns what a header says of it. */
export function addIndex(bench: BlobBench, name: string, items: Items): HeaderIndex {
  return { name, type: "btree", value: addTree(bench, INDEX_TREE, items) };
}

/** Stores the trees of a source. */
export function addSource(
  bench: BlobBench,
  trees: { files?: Items; errors?: Items; xattrs?: Items; indexes?: readonly HeaderIndex[] },
): HeaderSource {
  return {
    ...headerOf().sources[0]!,
    root: addTree(bench, VFS_TREE, trees.files),
    errors: addTree(bench, ERROR_TREE, trees.errors),
    xattrs: addTree(bench, XATTR_TREE, trees.xattrs),
    indexes: trees.indexes ?? [],
  };
}
