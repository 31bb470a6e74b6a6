/**
 * The threads of the data path: hashing, encoding and decoding of chunks in shared memory. What a
 * thread loads (`worker.ts`) stays small, since each run waits for it: nothing of the format, of keys
 * or of stores. Tasks and answers pass by slots of shared memory, never as messages.
 *
 * @module
 */

export * from "./encode_region.ts";
export * from "./pool.ts";
export * from "./tasks.ts";
