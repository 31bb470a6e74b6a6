import type { BlobReader } from "../packfile/mod.ts";
import { CorruptionError } from "../errors.ts";
import {
  btreeGet,
  type BTreeItem,
  btreeIterate,
  type BTreeNode,
  compareBytes,
  comparePaths,
  decodeBTreeNode,
  decodeBTreeRoot,
  FormatError,
  type KeyOrder,
  type Mac,
  ResourceType,
} from "../format/mod.ts";

/** Where a tree's blobs are and how its keys are ordered. */
export interface TreeShape {
  readonly rootType: number;
  readonly nodeType: number;
  readonly order: KeyOrder;
}

/** The tree of a snapshot's entries: path, and id of the VFS_ENTRY. */
export const VFS_TREE: TreeShape = {
  rootType: ResourceType.VFS_BTREE,
  nodeType: ResourceType.VFS_NODE,
  order: comparePaths,
};

/** What the writer could not read: path, and id of the ERROR_ENTRY. */
export const ERROR_TREE: TreeShape = {
  rootType: ResourceType.ERROR_BTREE,
  nodeType: ResourceType.ERROR_NODE,
  order: compareBytes,
};

/** Extended attributes: path and name, and id of the XATTR_ENTRY. */
export const XATTR_TREE: TreeShape = {
  rootType: ResourceType.XATTR_BTREE,
  nodeType: ResourceType.XATTR_NODE,
  // Writers build this tree in path order (format reference, section 10.5).
  order: comparePaths,
};

/** An index; what its values are depends on its name. */
export const INDEX_TREE: TreeShape = {
  rootType: ResourceType.BTREE_ROOT,
  nodeType: ResourceType.BTREE_NODE,
  order: compareBytes,
};

/** Reads one tree of a snapshot; each blob is verified. */
export class TreeReader {
  readonly #blobs: Pick<BlobReader, "read">;
  readonly #root: Mac;
  readonly #shape: TreeShape;

  constructor(blobs: Pick<BlobReader, "read">, root: Mac, shape: TreeShape) {
    this.#blobs = blobs;
    this.#root = root;
    this.#shape = shape;
  }

  /**
   * What a key stands for.
   *
   * @throws {CorruptionError} the tree is damaged
   */
  async get(key: string): Promise<Mac | undefined> {
    return await asCorruption(async () =>
      await btreeGet(await this.#rootNode(), key, this.#shape.order, this.#loadNode)
    );
  }

  /**
   * All keys in order.
   *
   * @throws {CorruptionError} the tree is damaged
   */
  async *items(): AsyncGenerator<BTreeItem> {
    const items = btreeIterate(
      await asCorruption(() => this.#rootNode()),
      this.#shape.order,
      this.#loadNode,
    );
    while (true) {
      const next = await asCorruption(() => items.next());
      if (next.done) return;
      yield next.value;
    }
  }

  async #rootNode(): Promise<Mac> {
    return decodeBTreeRoot(await this.#blobs.read(this.#shape.rootType, this.#root)).root;
  }

  readonly #loadNode = async (mac: Mac): Promise<BTreeNode> =>
    decodeBTreeNode(await this.#blobs.read(this.#shape.nodeType, mac));
}

/** Runs an action; malformed structures become {@linkcode CorruptionError}s. */
export async function asCorruption<T>(action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof FormatError) {
      throw new CorruptionError(error.message, {}, { cause: error });
    }
    throw error;
  }
}
