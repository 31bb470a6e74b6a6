/**
 * The threads of the data path: hashing, encoding and decoding of chunks in shared memory.
 *
 * @module
 */

export * from "./encode_region.ts";
export * from "./pool.ts";
export * from "./tasks.ts";
