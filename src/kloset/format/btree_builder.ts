import { BTREE_ORDER, encodeBTreeNode, encodeBTreeRoot } from "./btree_node.ts";
import type { Mac } from "./mac.ts";
import type { KeyOrder } from "./path.ts";

/** A key of a tree and what it stands for. */
export interface BTreeItem {
  readonly key: string;
  readonly value: Mac;
}

/** A stored node, and the smallest key in it or below it. */
interface StoredNode {
  readonly firstKey: string;
  readonly mac: Mac;
}

/**
 * Builds a tree from sorted items, with evenly filled nodes.
 *
 * Nodes are content-addressed and each leaf names the one to its right, so every level is stored
 * from right to left, the leaves first.
 *
 * @param items In strictly ascending order.
 * @param compare The tree's order.
 * @param storeNode Stores the bytes of a node and returns its id.
 * @param order The most children of a node; at least 3, as readers demand.
 * @returns The bytes of the root blob.
 * @throws {RangeError} If the items are not in order, or `order` is too small.
 */
export function bulkLoadBTree(
  items: readonly BTreeItem[],
  compare: KeyOrder,
  storeNode: (bytes: Uint8Array) => Mac,
  order: number = BTREE_ORDER,
): Uint8Array {
  if (!(order >= 3)) throw new RangeError(`Cannot build a tree of order ${order}: less than 3`);
  let previous: BTreeItem | undefined;
  for (const item of items) {
    if (previous !== undefined && compare(previous.key, item.key) >= 0) {
      throw new RangeError(`Cannot build a tree: "${item.key}" follows "${previous.key}"`);
    }
    previous = item;
  }

  let level = storeLeaves(items, storeNode, order);
  while (level.length > 1) level = storeInnerNodes(level, storeNode, order);
  const root = level[0]?.mac ??
    storeNode(encodeBTreeNode({ version: 0, keys: [], pointers: [], values: [], next: undefined }));
  return encodeBTreeRoot(root, order);
}

function storeLeaves(
  items: readonly BTreeItem[],
  storeNode: (bytes: Uint8Array) => Mac,
  order: number,
): StoredNode[] {
  let next: Mac | undefined;
  return storeFromRight(splitEvenly(items, order - 1), (group) => {
    next = storeNode(encodeBTreeNode({
      version: 0,
      keys: group.map((item) => item.key),
      pointers: [],
      values: group.map((item) => item.value),
      next,
    }));
    return { firstKey: group[0]?.key ?? "", mac: next };
  });
}

function storeInnerNodes(
  children: readonly StoredNode[],
  storeNode: (bytes: Uint8Array) => Mac,
  order: number,
): StoredNode[] {
  return storeFromRight(splitEvenly(children, order), (group) => ({
    firstKey: group[0]?.firstKey ?? "",
    mac: storeNode(encodeBTreeNode({
      version: 0,
      keys: group.slice(1).map((child) => child.firstKey),
      pointers: group.map((child) => child.mac),
      values: [],
      next: undefined,
    })),
  }));
}

/** Stores groups from last to first; returns the nodes from first to last. */
function storeFromRight<T>(
  groups: readonly (readonly T[])[],
  store: (group: readonly T[]) => StoredNode,
): StoredNode[] {
  return groups.toReversed().map(store).reverse();
}

/** Cuts a list into the fewest groups of at most `size`, whose lengths differ by one at most. */
function splitEvenly<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, i) =>
    items.slice(
      Math.floor((i * items.length) / count),
      Math.floor(((i + 1) * items.length) / count),
    ));
}
