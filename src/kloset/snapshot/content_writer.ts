import type { FastCdcParameters, Region } from "../../kernels/mod.ts";
import type { Appended, ChunkSink } from "../packfile/mod.ts";
import { type Chunk, cutChunks } from "./chunker.ts";
import { type MemoryBudget, StreamMac } from "../unit/mod.ts";
import {
  encodedBound,
  type EncodeResult,
  type Encoding as UnitEncoding,
  type MacParameters,
  type WorkerPool,
} from "../workers/mod.ts";

/** How a content is cut, hashed and encoded, within which memory, and where its chunks go. */
export interface ContentWriterOptions {
  readonly pool: WorkerPool;
  readonly mac: MacParameters;
  readonly encoding: UnitEncoding;
  readonly chunking: FastCdcParameters;
  /** For chunks as they are read. */
  readonly plainMemory: MemoryBudget;
  /** For chunks as they are stored. */
  readonly encodedMemory: MemoryBudget;
  readonly sink: ChunkSink;
  /** Whether entropies are computed; directories' content goes without (format reference, 7). */
  readonly entropy: boolean;
  readonly signal: AbortSignal;
  /** Called for each chunk, in order. */
  readonly onChunk: (length: number, isNew: boolean) => void;
}

/** A chunk of a stored content, in order. */
export interface WrittenChunk {
  readonly mac: Uint8Array;
  readonly length: number;
  readonly entropy: number;
}

/** A stored content. */
export interface WrittenContent {
  /** MAC of the whole content. */
  readonly mac: Uint8Array;
  readonly length: number;
  /** Bits per byte, 0 to 8. */
  readonly entropy: number;
  readonly chunks: readonly WrittenChunk[];
}

interface Encoding {
  readonly mac: Uint8Array;
  readonly target: Region;
  readonly result: Promise<EncodeResult>;
}

/**
 * Streams a content into a sink: cut on the calling thread, hashed and encoded on the workers, in
 * parallel, and appended in stream order. A chunk that is known is not encoded.
 *
 * The stream's memory is bounded by the two budgets: reading waits when they are used up.
 *
 * @throws whatever the source, the sink or a worker fails with, or the signal's reason; no thread
 * works on this content any more then
 */
export async function writeContent(
  source: ReadableStream<Uint8Array>,
  options: ContentWriterOptions,
): Promise<WrittenContent> {
  const pipeline = new ContentPipeline(options);
  try {
    for await (
      const chunk of cutChunks(source, {
        pool: options.pool,
        chunking: options.chunking,
        memory: options.plainMemory,
        signal: AbortSignal.any([options.signal, pipeline.failed]),
      })
    ) {
      pipeline.take(chunk);
    }
    return await pipeline.finish();
  } finally {
    await pipeline.dispose();
  }
}

class ContentPipeline {
  readonly #options: ContentWriterOptions;
  readonly #contentMac: StreamMac;
  readonly #chunks: WrittenChunk[] = [];
  readonly #failure = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  #position = 0;
  /** Ends of the two chains; each step of a chunk follows the same step of the one before it. */
  #decided: Promise<unknown> = Promise.resolve();
  #placed: Promise<unknown> = Promise.resolve();

  constructor(options: ContentWriterOptions) {
    this.#options = options;
    this.#contentMac = new StreamMac(options.pool, options.mac);
  }

  /** Aborts with the first failure. */
  get failed(): AbortSignal {
    return this.#failure.signal;
  }

  /** Starts the work on a chunk; its region is released when the work is done. */
  take(chunk: Chunk): void {
    const decision = this.#decide(chunk, this.#decided);
    const placing = this.#place(decision, this.#placed);
    this.#decided = decision;
    this.#placed = placing;
    const storing = this.#store(decision, placing);
    const done = Promise.allSettled([decision, storing]).then((results) => {
      this.#options.plainMemory.release(chunk.data);
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) this.#failure.abort(failed.reason);
      this.#inFlight.delete(done);
    });
    this.#inFlight.add(done);
  }

  async finish(): Promise<WrittenContent> {
    await this.#placed;
    await this.#settle();
    this.failed.throwIfAborted();
    let length = 0;
    let weighted = 0;
    for (const chunk of this.#chunks) {
      length += chunk.length;
      weighted += chunk.entropy * chunk.length;
    }
    return {
      mac: this.#contentMac.digest(),
      length,
      entropy: length === 0 ? 0 : weighted / length,
      chunks: this.#chunks,
    };
  }

  /** Waits until no thread uses this content's memory any more. */
  async dispose(): Promise<void> {
    await this.#settle();
    this.#contentMac.dispose();
  }

  async #settle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  /** Hashes at once; decides in stream order, so that equal chunks of one stream are stored once. */
  async #decide(chunk: Chunk, previous: Promise<unknown>): Promise<Encoding | undefined> {
    const { pool, sink, encodedMemory, encoding } = this.#options;
    const position = this.#position;
    this.#position += chunk.length;
    const [hash, before] = await Promise.allSettled([
      pool.run({
        operation: "hash",
        data: chunk.data,
        length: chunk.length,
        mac: this.#options.mac,
        entropy: this.#options.entropy,
        position,
      }),
      previous,
    ]);
    if (hash.status === "rejected") throw hash.reason;
    if (before.status === "rejected") throw before.reason;
    const { mac, entropy, part } = hash.value;
    this.#contentMac.join(part, chunk.data, chunk.length);
    const isNew = sink.claim(mac);
    this.#chunks.push({ mac, length: chunk.length, entropy });
    this.#options.onChunk(chunk.length, isNew);
    if (!isNew) return undefined;
    const target = await encodedMemory.acquire(encodedBound(chunk.length, encoding));
    const result = pool.run({
      operation: "encode",
      data: chunk.data,
      length: chunk.length,
      target,
      encoding,
    });
    return { mac, target, result };
  }

  /** Gives an encoded chunk its place, in stream order; it is stored while the next ones follow. */
  async #place(
    decision: Promise<Encoding | undefined>,
    previous: Promise<unknown>,
  ): Promise<Appended | undefined> {
    const encoding = await decision;
    if (encoding === undefined) {
      await previous;
      return undefined;
    }
    const [encoded, before] = await Promise.allSettled([encoding.result, previous]);
    if (encoded.status === "rejected") throw encoded.reason;
    if (before.status === "rejected") throw before.reason;
    return await this.#options.sink.append(encoding.mac, encoding.target, encoded.value.length);
  }

  /** Releases what a chunk was encoded to when it is stored. */
  async #store(
    decision: Promise<Encoding | undefined>,
    placing: Promise<Appended | undefined>,
  ): Promise<void> {
    const [encoding, placed] = await Promise.allSettled([decision, placing]);
    try {
      if (placed.status === "rejected") throw placed.reason;
      await placed.value?.stored;
    } finally {
      if (encoding.status === "fulfilled" && encoding.value !== undefined) {
        this.#options.encodedMemory.release(encoding.value.target);
      }
    }
  }
}
