import { CutScanner, type FastCdcParameters, type Region } from "../../kernels/mod.ts";
import type { MemoryBudget } from "../unit/mod.ts";
import type { WorkerPool } from "../workers/mod.ts";

/**
 * Bytes asked for in one read. Pipes give at most 64 KiB at a time; files are read in fewer calls.
 * What a read brings beyond a cut is copied to the next chunk's region, so it stays well below the
 * chunk size.
 */
const READ_BYTES = 256 * 1024;

/**
 * Bytes are copied to shared memory by words where source and target lie the same way between two
 * of them, else one by one, which takes three times as long. Regions begin with a word.
 */
const WORD_BYTES = 8;

/** A chunk in shared memory; whoever takes it releases the region to the budget it came from. */
export interface Chunk {
  readonly data: Region;
  readonly length: number;
}

export interface ChunkerOptions {
  readonly pool: WorkerPool;
  readonly chunking: FastCdcParameters;
  /** Where the chunks' regions come from; each takes the maximum chunk size until it is cut. */
  readonly memory: MemoryBudget;
  readonly signal: AbortSignal;
}

/**
 * Cuts a stream into content-defined chunks (format reference, section 6): the same cuts whatever
 * the sizes of its reads. An empty stream is one chunk of length 0.
 *
 * The stream is cancelled when the signal aborts and when the caller stops early.
 *
 * @throws whatever the stream fails with, or the signal's reason
 */
export async function* cutChunks(
  source: ReadableStream<Uint8Array>,
  options: ChunkerOptions,
): AsyncGenerator<Chunk> {
  const { pool: { kernels }, chunking, memory, signal } = options;
  const scanner = new CutScanner(kernels, chunking);
  const reader = new SourceReader(source, signal);
  // What was read beyond a cut, on its way to the next region. It waits here, and not in the old
  // region, so that this generator holds none of the budget while it waits for more: streams that
  // share a budget cannot block each other.
  const beyond = kernels.allocate(READ_BYTES);
  let region: Region | undefined;
  let filled = 0;
  let chunks = 0;
  try {
    while (true) {
      const bytes = await reader.read(filled % WORD_BYTES);
      if (bytes === undefined) break;
      for (let taken = 0; taken < bytes.length;) {
        region ??= await memory.acquire(chunking.maxSize);
        const part = bytes.subarray(
          taken,
          taken + Math.min(READ_BYTES, chunking.maxSize - filled),
        );
        kernels.bytes(region, filled).set(part);
        filled += part.length;
        taken += part.length;
        let cut: number | undefined;
        while ((cut = scanner.scan(region, filled)) !== undefined) {
          scanner.reset();
          const rest = filled - cut;
          kernels.copy(region, cut, filled, beyond);
          const chunk: Chunk = { data: memory.shrink(region, cut), length: cut };
          region = undefined;
          filled = 0;
          chunks++;
          yield chunk;
          // A single read may bring many chunks.
          signal.throwIfAborted();
          if (rest === 0) break;
          region = await memory.acquire(chunking.maxSize);
          kernels.copy(beyond, 0, rest, region);
          filled = rest;
        }
      }
    }
    if (filled > 0 || chunks === 0) {
      const data = region === undefined ? await memory.acquire(0) : memory.shrink(region, filled);
      const chunk: Chunk = { data, length: filled };
      region = undefined;
      yield chunk;
    }
  } finally {
    if (region !== undefined) memory.release(region);
    kernels.free(beyond);
    scanner.dispose();
    await reader.close();
  }
}

/** Reads a stream with as few copies as its kind allows. */
class SourceReader {
  readonly #read: (offset: number) => Promise<Uint8Array | undefined>;
  readonly #cancel: (reason?: unknown) => Promise<void>;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;

  constructor(source: ReadableStream<Uint8Array>, signal: AbortSignal) {
    const reader = byobReader(source);
    if (reader === undefined) {
      const plain = source.getReader();
      this.#read = async () => (await plain.read()).value;
      this.#cancel = (reason) => plain.cancel(reason);
    } else {
      let buffer = new ArrayBuffer(WORD_BYTES + READ_BYTES);
      this.#read = async (offset) => {
        const { value, done } = await reader.read(new Uint8Array(buffer, offset, READ_BYTES));
        if (done || value === undefined) return undefined;
        // The stream hands its buffer back, to be lent again once the bytes are copied.
        buffer = value.buffer as ArrayBuffer;
        return value;
      };
      this.#cancel = (reason) => reader.cancel(reason);
    }
    this.#signal = signal;
    this.#onAbort = () => {
      this.#cancel(signal.reason).catch(() => {
        // The source's own failure while it is being given up adds nothing to the signal's reason.
      });
    };
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /**
   * The next bytes, valid until the next call; undefined at the end.
   *
   * @param offset where in a word they should begin, if the stream lets us choose
   */
  async read(offset: number): Promise<Uint8Array | undefined> {
    this.#signal.throwIfAborted();
    const bytes = await this.#read(offset);
    // A cancelled read looks like the end of the stream.
    this.#signal.throwIfAborted();
    return bytes;
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener("abort", this.#onAbort);
    try {
      await this.#cancel();
    } catch {
      // A stream that has failed rejects its cancellation with the failure that read() has thrown.
    }
  }
}

function byobReader(source: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return source.getReader({ mode: "byob" });
  } catch (error) {
    // Not a byte stream.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
