/**
 * One stored unit: encoding and decoding, its MAC, and the memory that units may take at a time.
 *
 * @module
 */

export { compressionAlgorithm, hashAlgorithm } from "./algorithms.ts";
export { Codec } from "./codec.ts";
export { MacFunction, StreamMac } from "./mac.ts";
export { MemoryBudget } from "./memory_budget.ts";
export { rereadOnDamage } from "./reread.ts";
