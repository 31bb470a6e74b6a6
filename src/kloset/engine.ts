import type { Kernels } from "../kernels/mod.ts";
import type { BlobReader } from "./blob_reader.ts";
import type { Catalog } from "./catalog.ts";
import type { Codec } from "./codec.ts";
import type { Configuration } from "./format/mod.ts";
import type { MacFunction } from "./mac.ts";
import { MemoryBudget } from "./memory_budget.ts";
import type { Store } from "./store/mod.ts";
import { WorkerPool } from "./workers/mod.ts";

/** Plain and stored bytes of chunks that a reader holds at the same time. */
const READ_AHEAD_BYTES = 32 * 1024 * 1024;

/** Plain bytes of chunks that writers hold at the same time, at most: for hosts with many cores. */
const MAXIMUM_PLAIN_BYTES = 256 * 1024 * 1024;

/** The machinery that all snapshots of an open repository share. */
export interface Engine extends Machinery {
  readonly store: Store;
  readonly configuration: Configuration;
  readonly codec: Codec;
  readonly mac: MacFunction;
  readonly catalog: Catalog;
  readonly blobs: BlobReader;
  readonly hostname: string;
  readonly onWarning: (message: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Threads and their memory. */
export interface Machinery {
  readonly kernels: Kernels;
  readonly pool: WorkerPool;
  /** For chunks that are being written: as they are read, and as they are stored. */
  readonly plainMemory: MemoryBudget;
  readonly encodedMemory: MemoryBudget;
  /** For chunks that are being read. */
  readonly readMemory: MemoryBudget;
}

/**
 * Sizes the memory of the data path: every worker has a chunk at hand and another one waiting, and
 * one more is being cut. Chunks are as large as they may be only now and then, so that the pages of
 * a region are touched little by little: what counts for a long stream is the sum of the limits.
 *
 * @param jobs number of worker threads
 * @param maximumChunkBytes greatest plain size of a chunk that is written
 */
export function startMachinery(
  kernels: Kernels,
  jobs: number,
  maximumChunkBytes: number,
): Machinery {
  const plainBytes = Math.min((2 * jobs + 1) * maximumChunkBytes, MAXIMUM_PLAIN_BYTES);
  return {
    kernels,
    pool: new WorkerPool(kernels, jobs),
    plainMemory: new MemoryBudget(kernels, plainBytes),
    // Stored chunks take what they need, which is much less than the greatest size.
    encodedMemory: new MemoryBudget(kernels, Math.ceil(plainBytes / 3)),
    readMemory: new MemoryBudget(kernels, READ_AHEAD_BYTES),
  };
}
