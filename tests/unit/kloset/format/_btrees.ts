import {
  type BTreeItem,
  bulkLoadBTree,
  compareBytes,
  decodeBTreeNode,
  decodeBTreeRoot,
  type LoadNode,
  type Mac,
  macToHex,
} from "../../../../src/kloset/format/mod.ts";
import { blake3 } from "./_blake3.ts";
import { MAC_KEY } from "./_vectors.ts";

/** The MAC of the vectors. */
export const mac = blake3(MAC_KEY);

/** Nodes in memory, by their MACs, in the order in which they were stored. */
export class NodeStore {
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

/** Items of these keys; the values tell them apart. */
export function itemsOf(keys: readonly string[]): BTreeItem[] {
  return keys.map((key) => ({ key, value: mac(new TextEncoder().encode(key)) }));
}

/** Keys `k000000`, `k000001`, ... */
export function numbered(count: number): BTreeItem[] {
  return itemsOf(Array.from({ length: count }, (_, i) => `k${String(i).padStart(6, "0")}`));
}

/** A tree of these items, and the nodes that it is made of. */
export function build(items: readonly BTreeItem[], compare = compareBytes, order?: number) {
  const store = new NodeStore();
  const rootBytes = bulkLoadBTree(items, compare, store.store, order);
  return { ...store, root: decodeBTreeRoot(rootBytes).root, rootBytes };
}
