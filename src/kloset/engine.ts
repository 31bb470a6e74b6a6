import type { Kernels } from "../kernels/mod.ts";
import type { BlobReader } from "./packfile/mod.ts";
import type { Catalog } from "./state/mod.ts";
import { type Codec, type MacFunction, MemoryBudget } from "./unit/mod.ts";
import type { Configuration } from "./format/mod.ts";
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
 * Plain bytes that a worker has at hand and waiting: some chunks of the usual size. More made
 * backups no faster.
 */
const PLAIN_BYTES_PER_JOB = 2 * 1024 * 1024;

/** Streams that are cut at the same time without waiting for each other's chunks. */
const PARALLEL_STREAMS = 2;

/**
 * Sizes the memory of the data path. A chunk takes the greatest size only while it is being cut,
 * then what it needs.
 *
 * @param jobs number of worker threads
 * @param maximumChunkBytes greatest plain size of a chunk that is written
 */
export function startMachinery(
  kernels: Kernels,
  jobs: number,
  maximumChunkBytes: number,
): Machinery {
  const plainBytes = Math.min(
    PARALLEL_STREAMS * maximumChunkBytes + jobs * PLAIN_BYTES_PER_JOB,
    MAXIMUM_PLAIN_BYTES,
  );
  return {
    kernels,
    pool: new WorkerPool(kernels, jobs),
    plainMemory: new MemoryBudget(kernels, plainBytes),
    // Stored chunks take what they need, which is much less than the greatest size.
    encodedMemory: new MemoryBudget(kernels, Math.ceil(plainBytes / 3)),
    readMemory: new MemoryBudget(kernels, READ_AHEAD_BYTES),
  };
}
