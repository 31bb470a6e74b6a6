/**
 * One stored unit: which algorithms a repository has for it, encoding and decoding it on the calling
 * thread, its MAC, one more try where it looks damaged, and the memory that units may take at a time.
 * Ground for `state`, `packfile` and `snapshot`: it knows neither stores nor kinds of units. What the
 * threads do with a unit is in `workers`, how it is encrypted in `encryption`.
 *
 * @module
 */

export { compressionAlgorithm, hashAlgorithm } from "./algorithms.ts";
export { Codec } from "./codec.ts";
export { MacFunction, StreamMac } from "./mac.ts";
export { MemoryBudget } from "./memory_budget.ts";
export { rereadOnDamage } from "./reread.ts";
