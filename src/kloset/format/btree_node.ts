import { FormatError } from "./format_error.ts";
import type { Mac } from "./mac.ts";
import { encodeStruct } from "./msgpack_writer.ts";
import { StructReader } from "./struct_reader.ts";

/** The most children of an inner node, one more than the most keys of any node. */
export const BTREE_ORDER = 50;

/** The root blob of a tree: VFS_BTREE, ERROR_BTREE, XATTR_BTREE or BTREE_ROOT. */
export interface BTreeRoot {
  /** Version word; trees are written with 0. */
  readonly version: number;
  /** {@linkcode BTREE_ORDER}. */
  readonly order: number;
  /** Written as 0. */
  readonly count: number;
  /** The root node. */
  readonly root: Mac;
}

/** A node of a tree: a leaf when it has no pointers. */
export interface BTreeNode {
  /** Version word; nodes are written with 0. */
  readonly version: number;
  /** Ascending. */
  readonly keys: readonly string[];
  /** Inner node: the children, one more than keys; child i holds the keys before keys[i]. */
  readonly pointers: readonly Mac[];
  /** Leaf: what the keys stand for. */
  readonly values: readonly Mac[];
  /** Leaf: the leaf to the right; `undefined` in the last. */
  readonly next: Mac | undefined;
}

/** The root blob over a root node. */
export function encodeBTreeRoot(root: Mac, order: number = BTREE_ORDER): Uint8Array {
  return encodeStruct([
    ["Version", (w) => w.uint32(0)],
    ["Order", (w) => w.int(order)],
    ["Count", (w) => w.int(0)],
    ["Root", (w) => w.mac(root)],
  ]);
}

/**
 * Reads the root blob of a tree.
 *
 * @throws {FormatError} If it is malformed.
 */
export function decodeBTreeRoot(bytes: Uint8Array): BTreeRoot {
  const fields = StructReader.fromBytes(bytes, ["Version", "Order", "Count", "Root"], "tree root");
  return {
    version: fields.uint("Version", 32),
    order: fields.int("Order"),
    count: fields.int("Count"),
    root: fields.mac("Root"),
  };
}

/** A node blob. Empty lists are written as nil, as Go does for lists that never had an item. */
export function encodeBTreeNode(node: BTreeNode): Uint8Array {
  const { keys, pointers, values, next } = node;
  return encodeStruct([
    ["version", (w) => w.uint32(node.version)],
    ["keys", (w) => keys.length === 0 ? w.nil() : w.array(keys, (key) => w.string(key))],
    ["pointers", (w) => pointers.length === 0 ? w.nil() : w.array(pointers, (mac) => w.mac(mac))],
    ["values", (w) => values.length === 0 ? w.nil() : w.array(values, (mac) => w.mac(mac))],
    next !== undefined && ["next", (w) => w.mac(next)],
  ]);
}

const NODE_FIELDS = ["version", "keys", "pointers", "values", "prev", "next"];

/**
 * Reads a node blob. The order of its keys is checked by those who know it: the lookups.
 *
 * @throws {FormatError} If it is malformed, or has the wrong number of children or values.
 */
export function decodeBTreeNode(bytes: Uint8Array): BTreeNode {
  const fields = StructReader.fromBytes(bytes, NODE_FIELDS, "tree node");
  const node = {
    version: fields.uint("version", 32),
    keys: fields.strings("keys"),
    pointers: fields.macs("pointers"),
    values: fields.macs("values"),
    next: fields.optionalMac("next"),
  };
  const { keys, pointers, values } = node;
  if (pointers.length > 0) {
    if (pointers.length !== keys.length + 1 || values.length > 0) {
      throw new FormatError(
        "tree node",
        `inner, with ${keys.length} keys, ${pointers.length} pointers, ${values.length} values`,
      );
    }
  } else if (values.length !== keys.length) {
    throw new FormatError("tree node", `leaf, with ${keys.length} keys, ${values.length} values`);
  }
  return node;
}
