import { MemoryStore } from "../../../faults/memory_store.ts";
import { testStoreContract } from "../store_contract.ts";

testStoreContract("MemoryStore", () => {
  const store = new MemoryStore();
  return Promise.resolve({
    store,
    another: () => store,
    leftovers: () => Promise.resolve(Array.from({ length: store.openWriters }, () => "writer")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
