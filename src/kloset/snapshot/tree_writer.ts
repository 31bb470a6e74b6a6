import {
  baseName,
  BTREE_ORDER,
  type BTreeItem,
  bulkLoadBTree,
  compareBytes,
  comparePaths,
  encodeDirpackFrame,
  encodeSummary,
  encodeVfsEntry,
  type FileInfo,
  fileMode,
  fileTypeOf,
  type HeaderSource,
  type Mac,
  newFileInfo,
  newVfsEntry,
  parentPath,
  ResourceType,
  type Summary,
  SummaryBuilder,
} from "../format/mod.ts";
import type { Packer } from "../packfile/mod.ts";
import type { Flavour } from "../state/mod.ts";
import { ERROR_TREE, INDEX_TREE, type TreeShape, VFS_TREE, XATTR_TREE } from "./tree_reader.ts";

/** What plakar calls the content type of everything that is neither file nor directory. */
const NOT_REGULAR = "application/x-not-regular-file";

/** Permissions of directories that nobody described (format reference, section 10.3). */
const IMPLIED_DIRECTORY_MODE = 0o750;

/** A regular file's stored content. */
export interface StoredObject {
  /** Id of the OBJECT blob. */
  readonly id: Mac;
  readonly length: number;
  readonly chunks: number;
  /** Bits per byte. */
  readonly entropy: number;
  /** MIME type. */
  readonly contentType: string;
}

/** An entry of the tree being written. */
export interface TreeEntry {
  readonly path: string;
  readonly info: FileInfo;
  /** Of regular files. */
  readonly object?: StoredObject;
  /** Of symbolic links. */
  readonly linkTarget?: string;
}

/** Where a tree is written to, and for whom. */
export interface TreeWriterOptions {
  readonly packer: Packer;
  readonly mac: (bytes: Uint8Array) => Mac;
  readonly flavour: Flavour;
  /** Stores a content without entropy and returns the id of its object. */
  readonly storeContent: (bytes: ReadableStream<Uint8Array>) => Promise<Mac>;
}

interface WrittenEntry {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly encoded: Uint8Array;
  readonly mac: Mac;
}

/** The trees of a written snapshot, for its header. */
export type WrittenTree = Pick<HeaderSource, "root" | "xattrs" | "errors" | "indexes" | "summary">;

/**
 * Writes the entries, directory listings, summaries and trees of a snapshot (format reference,
 * sections 10.2 to 10.8). The root, and directories that entries lie in but nobody described, are
 * added.
 */
export async function writeTree(
  entries: ReadonlyMap<string, TreeEntry>,
  options: TreeWriterOptions,
): Promise<WrittenTree> {
  const complete = withImpliedDirectories(entries);
  const written = new Map<string, WrittenEntry>();
  const summaries = new Map<string, Summary>();
  const summaryItems: BTreeItem[] = [];
  const dirpackItems: BTreeItem[] = [];
  const contentTypeItems: BTreeItem[] = [];
  const children = childrenByDirectory(complete);

  // Children before their directories: a directory's summary and listing contain theirs.
  for (const path of [...complete.keys()].sort(comparePaths).reverse()) {
    const entry = complete.get(path)!;
    const isDirectory = fileTypeOf(entry.info.mode) === "directory";
    let summary: Summary | undefined;
    if (isDirectory) {
      const names = children.get(path) ?? [];
      summary = summarize(names.map((name) => complete.get(name)!), summaries);
      summaries.set(path, summary);
      const listing = names.map((name) => written.get(name)!);
      dirpackItems.push({ key: path, value: await options.storeContent(dirpack(listing)) });
      if (options.flavour === "1.1") {
        const value = await options.packer.putStructure(
          ResourceType.VFS_SUMMARY,
          encodeSummary(summary),
        );
        summaryItems.push({ key: path, value });
      }
    }
    const encoded = encodeEntry(entry, summary, options.flavour);
    const mac = await options.packer.putStructure(ResourceType.VFS_ENTRY, encoded);
    written.set(path, { path, isDirectory, encoded, mac });
    if (!isDirectory) {
      contentTypeItems.push({ key: `/${contentTypeOf(entry).split(";")[0]}${path}`, value: mac });
    }
  }

  const vfsItems = [...written.values()].map(({ path, mac }) => ({ key: path, value: mac }));
  const tree = (shape: TreeShape, items: BTreeItem[]) => writeBTree(options, shape, items);
  const index = async (name: string, items: BTreeItem[]) => ({
    name,
    type: "btree",
    value: await tree(INDEX_TREE, items),
  });
  return {
    root: await tree(VFS_TREE, vfsItems),
    errors: await tree(ERROR_TREE, []),
    xattrs: await tree(XATTR_TREE, []),
    indexes: [
      await index("content-type", contentTypeItems),
      await index("dirpack", dirpackItems),
      // Clients of version 1.0 refuse maintenance where they find an index that they do not know.
      ...(options.flavour === "1.1" ? [await index("summary", summaryItems)] : []),
    ],
    summary: summaries.get("/")!,
  };
}

async function writeBTree(
  { packer, mac }: TreeWriterOptions,
  { rootType, nodeType, order }: TreeShape,
  items: readonly BTreeItem[],
): Promise<Mac> {
  const nodes: Uint8Array[] = [];
  const root = bulkLoadBTree(
    items.toSorted((a, b) => order(a.key, b.key)),
    order,
    (node) => {
      nodes.push(node);
      return mac(node);
    },
    BTREE_ORDER,
  );
  for (const node of nodes) await packer.putStructure(nodeType, node);
  return await packer.putStructure(rootType, root);
}

function encodeEntry(
  { path, info, object, linkTarget }: TreeEntry,
  summary: Summary | undefined,
  flavour: Flavour,
): Uint8Array {
  return encodeVfsEntry(newVfsEntry({
    parentPath: parentPath(path),
    fileInfo: info,
    ...(linkTarget !== undefined && { symlinkTarget: linkTarget }),
    ...(object !== undefined && { object: object.id }),
    ...(flavour === "1.0" ? { summary } : {
      ...(summary === undefined && { contentType: contentTypeOf({ object }) }),
      ...(object !== undefined && { entropy: object.entropy, chunks: object.chunks }),
    }),
  }));
}

function contentTypeOf({ object }: { readonly object?: StoredObject | undefined }): string {
  return object?.contentType ?? NOT_REGULAR;
}

function summarize(
  entries: readonly TreeEntry[],
  summaries: ReadonlyMap<string, Summary>,
): Summary {
  const builder = new SummaryBuilder();
  for (const entry of entries) {
    const child = summaries.get(entry.path);
    if (child !== undefined) {
      builder.addDirectory(child);
      continue;
    }
    builder.addFile({
      mode: entry.info.mode,
      size: entry.info.size,
      modTimeNs: entry.info.modTimeNs,
      chunks: entry.object?.chunks,
      contentType: contentTypeOf(entry),
      entropy: entry.object?.entropy ?? 0,
    });
  }
  return builder.finish();
}

/** A directory's listing: one frame per child, in byte order. */
function dirpack(children: readonly WrittenEntry[]): ReadableStream<Uint8Array> {
  const sorted = children.toSorted((a, b) => compareBytes(a.path, b.path)).values();
  return new ReadableStream({
    pull(controller) {
      const { value, done } = sorted.next();
      if (done) {
        controller.close();
        return;
      }
      const { isDirectory, encoded, mac } = value;
      controller.enqueue(encodeDirpackFrame({ isDirectory, entry: encoded, mac }));
    },
  });
}

/** Paths of the entries of each directory. */
function childrenByDirectory(entries: ReadonlyMap<string, TreeEntry>): Map<string, string[]> {
  const children = new Map<string, string[]>();
  for (const path of entries.keys()) {
    if (path === "/") continue;
    const parent = parentPath(path);
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [path]);
    else siblings.push(path);
  }
  return children;
}

function withImpliedDirectories(
  entries: ReadonlyMap<string, TreeEntry>,
): Map<string, TreeEntry> {
  const complete = new Map(entries);
  const addMissing = (path: string): void => {
    if (complete.has(path)) return;
    complete.set(path, {
      path,
      info: newFileInfo({
        name: baseName(path),
        mode: fileMode("directory", IMPLIED_DIRECTORY_MODE),
        modTimeNs: 0n,
      }),
    });
    addMissing(parentPath(path));
  };
  addMissing("/");
  for (const path of entries.keys()) addMissing(parentPath(path));
  return complete;
}
