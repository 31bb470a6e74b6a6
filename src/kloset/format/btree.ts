/**
 * Finding and listing in trees that somebody else may have written: a damaged or hostile tree ends
 * in an error, never in an endless walk or in keys out of order.
 *
 * @module
 */

import type { BTreeItem } from "./btree_builder.ts";
import type { BTreeNode } from "./btree_node.ts";
import { FormatError } from "./format_error.ts";
import { type Mac, macToHex } from "./mac.ts";
import type { KeyOrder } from "./path.ts";

/** Loads and decodes a node by its id. */
export type LoadNode = (mac: Mac) => Promise<BTreeNode>;

/** More levels than a tree of the smallest order could have in a real repository. */
const MAXIMUM_DEPTH = 64;

/** Keys that a node may hold: from `low` on, before `high`; `undefined` is no bound. */
interface Bounds {
  readonly low: string | undefined;
  readonly high: string | undefined;
}

/**
 * Looks a key up.
 *
 * @param root The root node's id.
 * @param compare The tree's order.
 * @returns What the key stands for; `undefined` when the tree does not hold it.
 * @throws {FormatError} If a node on the way breaks the tree's order, or the tree is too deep.
 */
export async function btreeGet(
  root: Mac,
  key: string,
  compare: KeyOrder,
  loadNode: LoadNode,
): Promise<Mac | undefined> {
  let mac = root;
  let bounds: Bounds = { low: undefined, high: undefined };
  for (let depth = 0; depth < MAXIMUM_DEPTH; depth++) {
    const node = await loadNode(mac);
    checkNode(node, mac, bounds, compare);
    const position = firstNotBefore(node.keys, key, compare);
    const found = position < node.keys.length && compare(node.keys[position] ?? "", key) === 0;
    if (node.pointers.length === 0) return found ? node.values[position] : undefined;
    // A key in an inner node is the smallest of the child to its right.
    const child = found ? position + 1 : position;
    bounds = childBounds(node, child, bounds);
    mac = childAt(node, child, mac);
  }
  throw new FormatError("tree", `deeper than ${MAXIMUM_DEPTH} levels`);
}

/** Options of {@linkcode btreeIterate}. */
export interface BTreeIterateOptions {
  /** Skip keys before this one. @default all keys */
  readonly from?: string;
}

/**
 * Lists a tree in order, through its inner nodes; the chain of leaves is not used.
 *
 * @param root The root node's id.
 * @param compare The tree's order.
 * @throws {FormatError} If a node breaks the tree's order, is empty below the root, or lies too
 *   deep.
 */
export async function* btreeIterate(
  root: Mac,
  compare: KeyOrder,
  loadNode: LoadNode,
  options: BTreeIterateOptions = {},
): AsyncGenerator<BTreeItem> {
  const { from } = options;
  /** Children still to visit, the next one last. */
  const pending: { mac: Mac; bounds: Bounds; depth: number }[] = [
    { mac: root, bounds: { low: undefined, high: undefined }, depth: 0 },
  ];
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { mac, bounds, depth } = visit;
    if (depth >= MAXIMUM_DEPTH) {
      throw new FormatError("tree", `deeper than ${MAXIMUM_DEPTH} levels`);
    }
    const node = await loadNode(mac);
    checkNode(node, mac, bounds, compare);
    const start = from === undefined ? 0 : firstNotBefore(node.keys, from, compare);

    if (node.pointers.length > 0) {
      const exact = from !== undefined && start < node.keys.length &&
        compare(node.keys[start] ?? "", from) === 0;
      const first = exact ? start + 1 : start;
      for (let child = node.pointers.length - 1; child >= first; child--) {
        pending.push({
          mac: childAt(node, child, mac),
          bounds: childBounds(node, child, bounds),
          depth: depth + 1,
        });
      }
      continue;
    }

    // Without this, inner nodes that share one empty leaf could keep the walk busy for ever.
    if (node.keys.length === 0 && depth > 0) throw nodeError(mac, "empty leaf");
    for (let i = start; i < node.keys.length; i++) {
      const value = node.values[i];
      const key = node.keys[i];
      if (key === undefined || value === undefined) throw nodeError(mac, "fewer values than keys");
      yield { key, value };
    }
  }
}

/** The first position whose key is not before `key`. */
function firstNotBefore(keys: readonly string[], key: string, compare: KeyOrder): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(keys[middle] ?? "", key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Keys strictly ascending, all inside the bounds that the parents set. */
function checkNode(node: BTreeNode, mac: Mac, bounds: Bounds, compare: KeyOrder): void {
  let previous: string | undefined;
  for (const key of node.keys) {
    if (previous !== undefined && compare(previous, key) >= 0) {
      throw nodeError(mac, `key "${key}" follows "${previous}"`);
    }
    previous = key;
  }
  const first = node.keys[0];
  if (first === undefined || previous === undefined) return;
  if (bounds.low !== undefined && compare(first, bounds.low) < 0) {
    throw nodeError(mac, `key "${first}" lies before "${bounds.low}", the first of its branch`);
  }
  if (bounds.high !== undefined && compare(previous, bounds.high) >= 0) {
    throw nodeError(mac, `key "${previous}" lies behind "${bounds.high}", the end of its branch`);
  }
}

function childBounds(node: BTreeNode, child: number, bounds: Bounds): Bounds {
  return {
    low: child > 0 ? node.keys[child - 1] : bounds.low,
    high: child < node.keys.length ? node.keys[child] : bounds.high,
  };
}

function childAt(node: BTreeNode, child: number, mac: Mac): Mac {
  const pointer = node.pointers[child];
  if (pointer === undefined) throw nodeError(mac, "fewer pointers than keys");
  return pointer;
}

function nodeError(mac: Mac, problem: string): FormatError {
  return new FormatError(`tree node ${macToHex(mac).slice(0, 16)}`, problem);
}
