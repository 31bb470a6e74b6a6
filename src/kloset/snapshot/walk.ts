import { CorruptionError } from "../errors.ts";
import {
  decodeErrorEntry,
  decodeSummary,
  decodeVfsEntry,
  decodeXattrEntry,
  entryPath,
  fileTypeOf,
  type Header,
  type HeaderIndex,
  type HeaderSource,
  isNilMac,
  type KlosetObject,
  type Mac,
  macsEqual,
  NIL_UUID,
  ResourceType,
} from "../format/mod.ts";
import type { BlobReader } from "../packfile/mod.ts";
import { readObject } from "./object_reader.ts";
import {
  asCorruption,
  ERROR_TREE,
  INDEX_TREE,
  TreeReader,
  type TreeShape,
  VFS_TREE,
  XATTR_TREE,
} from "./tree_reader.ts";

/** A content that a snapshot needs. */
export interface NeededContent {
  /** What it is: a regular file, an extended attribute, or the listing of a directory. */
  readonly kind: "file" | "xattr" | "dirpack";
  /** Of the entry that it belongs to; of an attribute, its key. */
  readonly path: string;
  /** Id of its OBJECT blob. */
  readonly id: Mac;
  readonly object: KlosetObject;
  /** Bytes that its entry says it has; undefined for listings, which no entry tells of. */
  readonly size: number | undefined;
}

/** Who is told what a snapshot needs. */
export interface SnapshotVisitor {
  /**
   * Called for each blob, in the order of the snapshot's structure, before it is read: structures
   * and chunks alike. One that is needed in several places is told as often.
   */
  readonly blob?: (type: number, id: Mac) => void;
  /** Called for each content, once its object was read; the walk goes on when it is done. */
  readonly content?: (content: NeededContent) => Promise<void>;
  /**
   * Called with each damage that the walk or the visitor meets, and the path that it concerns, `/`
   * for the snapshot as a whole. The walk goes on with what can still be reached.
   *
   * @default the walk ends with the damage
   */
  readonly damage?: (path: string, error: CorruptionError) => void;
}

/**
 * Walks everything that a snapshot needs: the blobs of its trees, entries, listings, summaries and
 * objects are read and verified; its chunks are told, and read only by the visitor. A walk without
 * damage has told every blob without which something of the snapshot could not be read, contents of
 * extended attributes among them, which the Go library's maintenance forgets (format reference,
 * section 14.2).
 *
 * Of an index whose name is unknown the tree alone is walked: whoever takes away what no walk has
 * told must not do so in a repository that has one.
 *
 * @param blobs where structures are read; one that remembers spares what snapshots share
 * @throws {CorruptionError} the snapshot is damaged, and the visitor does not take damage
 * @throws {StoreError} the store failed
 * @throws whatever the visitor fails with, or the signal's reason
 */
export async function walkSnapshot(
  blobs: Pick<BlobReader, "read" | "locate">,
  header: Header,
  visitor: SnapshotVisitor,
  signal?: AbortSignal,
): Promise<void> {
  await new Walk(blobs, visitor, signal).run(header);
}

class Walk {
  readonly #blobs: Pick<BlobReader, "read" | "locate">;
  readonly #visitor: SnapshotVisitor;
  readonly #signal: AbortSignal | undefined;

  constructor(
    blobs: Pick<BlobReader, "read" | "locate">,
    visitor: SnapshotVisitor,
    signal: AbortSignal | undefined,
  ) {
    this.#visitor = visitor;
    this.#signal = signal;
    this.#blobs = {
      locate: (type, id) => {
        visitor.blob?.(type, id);
        return blobs.locate(type, id);
      },
      read: (type, id) => {
        visitor.blob?.(type, id);
        return blobs.read(type, id);
      },
    };
  }

  async run(header: Header): Promise<void> {
    this.#visitor.blob?.(ResourceType.SNAPSHOT, header.identifier);
    if (!macsEqual(header.identity.identifier, NIL_UUID)) {
      this.#visitor.blob?.(ResourceType.SIGNATURE, header.identifier);
    }
    for (const source of header.sources) {
      await this.#guard("/", () => this.#walkEntries(source));
      await this.#guard("/", () => this.#walkErrors(source));
      await this.#guard("/", () => this.#walkXattrs(source));
      for (const index of source.indexes) await this.#guard("/", () => this.#walkIndex(index));
    }
  }

  #walkEntries(source: HeaderSource): Promise<void> {
    return this.#walkTree(source.root, VFS_TREE, async (path, id) => {
      const bytes = await this.#blobs.read(ResourceType.VFS_ENTRY, id);
      const entry = await asCorruption(() => decodeVfsEntry(bytes));
      if (entryPath(entry) !== path) {
        throw new CorruptionError(`The entry is of "${entryPath(entry)}"`);
      }
      const { fileInfo: { mode, size }, object } = entry;
      if (fileTypeOf(mode) !== "file" || isNilMac(object)) return;
      await this.#walkContent("file", path, object, size);
    });
  }

  #walkErrors(source: HeaderSource): Promise<void> {
    return this.#walkTree(source.errors, ERROR_TREE, async (_path, id) => {
      const bytes = await this.#blobs.read(ResourceType.ERROR_ENTRY, id);
      await asCorruption(() => decodeErrorEntry(bytes));
    });
  }

  #walkXattrs(source: HeaderSource): Promise<void> {
    return this.#walkTree(source.xattrs, XATTR_TREE, async (key, id) => {
      const bytes = await this.#blobs.read(ResourceType.XATTR_ENTRY, id);
      const { object, size } = await asCorruption(() => decodeXattrEntry(bytes));
      if (!isNilMac(object)) await this.#walkContent("xattr", key, object, size);
    });
  }

  #walkIndex({ name, value: root }: HeaderIndex): Promise<void> {
    return this.#walkTree(root, INDEX_TREE, async (key, id) => {
      switch (name) {
        case "dirpack":
          await this.#walkContent("dirpack", key, id, undefined);
          break;
        case "summary": {
          const bytes = await this.#blobs.read(ResourceType.VFS_SUMMARY, id);
          await asCorruption(() => decodeSummary(bytes));
          break;
        }
        case "content-type":
          // Entries of the tree, which have been read there.
          await this.#blobs.locate(ResourceType.VFS_ENTRY, id);
          break;
        default: // an index of a newer version: its tree is sound, its values are unknown
      }
    });
  }

  async #walkContent(
    kind: NeededContent["kind"],
    path: string,
    id: Mac,
    size: number | undefined,
  ): Promise<void> {
    const object = await readObject(this.#blobs, id);
    for (const { contentMac } of object.chunks) {
      this.#visitor.blob?.(ResourceType.CHUNK, contentMac);
    }
    await this.#visitor.content?.({ kind, path, id, object, size });
  }

  /** Walks a tree, and on with the next item where one is damaged. */
  async #walkTree(
    root: Mac,
    shape: TreeShape,
    visit: (key: string, value: Mac) => Promise<void>,
  ): Promise<void> {
    for await (const { key, value } of new TreeReader(this.#blobs, root, shape).items()) {
      await this.#guard(key, () => visit(key, value));
    }
  }

  async #guard(path: string, action: () => Promise<void>): Promise<void> {
    this.#signal?.throwIfAborted();
    try {
      await action();
    } catch (error) {
      if (!(error instanceof CorruptionError) || this.#visitor.damage === undefined) throw error;
      this.#visitor.damage(path, error);
    }
  }
}
