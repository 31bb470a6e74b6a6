import { createXXHash64 } from "hash-wasm";
import type { Duplex } from "node:stream";
import * as zlib from "node:zlib";
import { messageOf } from "../../errors/mod.ts";
import { BlockCutter } from "./_block_cutter.ts";
import {
  type FrameHeader,
  FrameWalker,
  MAX_BLOCK_BYTES,
  MAX_HEADER_BYTES,
  parseFrameHeader,
} from "./_zstd_frame.ts";
import { DamagedDumpError } from "../errors.ts";
import type { Reporter } from "../reporter.ts";
import type { ComponentSource } from "./source.ts";

/** What may come before the first frame. */
const PREFIX = "DZV1";
/** What every decoder should be able to keep (RFC 8878); Neo4j's frames need 2 MiB. */
const MAX_WINDOW_BYTES = 8 * 1024 * 1024;
/** The decompressor's buffer. */
const DECOMPRESSED_BYTES = 2 * MAX_BLOCK_BYTES;

/** Makes a decompressor of zstd frames. */
export type ZstdDecompressor = () => Duplex;

/**
 * A source of a Neo4j Community dump whose content is {@linkcode reframeDump}'s. The dump is to be
 * a verified one: this looks for damage of the data, not for what else may be wrong.
 */
export function reframedSource(source: ComponentSource, reporter: Reporter): ComponentSource {
  return {
    ...source,
    async open(signal) {
      const opened = await source.open(signal);
      const content = reframeDump(opened.content, (reason) => {
        reporter.info(`The Neo4j dump is stored compressed, as it came: ${reason}`);
      });
      return { ...opened, content };
    },
  };
}

/**
 * Writes the zstd frame of a Neo4j dump anew, not compressed: it stays a dump, and its content stays
 * the same. Two dumps of almost the same database have almost nothing in common when they are
 * compressed, each as a whole; not compressed they share what has not changed, and the repository
 * compresses what it stores. See `BlockCutter` for where its blocks end.
 *
 * The checksum that the dump brings along is computed again from the bytes that are handed on. A
 * dump that has none, or is not understood, is passed on as it is; so is what follows a frame that
 * is understood.
 *
 * Holds the frame's window and some hundred KiB, however long the dump is.
 *
 * @param onPassedOn told why when the dump is passed on as it is
 * @param decompressor null when there is none: dumps are passed on; the runtime's when not given
 * @returns a stream that fails with {@linkcode DamagedDumpError} when the frame is damaged or cut
 * off, and as `dump` fails
 */
export function reframeDump(
  dump: ReadableStream<Uint8Array>,
  onPassedOn: (reason: string) => void = () => {},
  decompressor: ZstdDecompressor | null = runtimeDecompressor(),
): ReadableStream<Uint8Array> {
  const input = new DumpReader(dump);
  const output = reframe(input, onPassedOn, decompressor);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await output.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        await input.cancel(error).catch(() => {
          // The input's own failure, which is the one that is told.
        });
        throw error;
      }
    },
    async cancel(reason) {
      // First, so that nobody waits for bytes any more.
      await input.cancel(reason);
      await output.return(undefined);
    },
  }, { highWaterMark: 0 });
}

/** The decompressor of `node:zlib`, which old runtimes do not have. */
function runtimeDecompressor(): ZstdDecompressor | null {
  if (!("createZstdDecompress" in zlib)) return null;
  // Its types are newer than the oldest runtime that this has to be checked with.
  const create = zlib.createZstdDecompress as (options: { chunkSize: number }) => Duplex;
  return () => create({ chunkSize: DECOMPRESSED_BYTES });
}

async function* reframe(
  input: DumpReader,
  onPassedOn: (reason: string) => void,
  decompressor: ZstdDecompressor | null,
): AsyncGenerator<Uint8Array> {
  const prefix = await input.peek(PREFIX.length);
  if (String.fromCharCode(...prefix) === PREFIX) yield await input.take(PREFIX.length);
  for (let frames = 0;; frames++) {
    const header = parseFrameHeader(await input.peek(MAX_HEADER_BYTES));
    const obstacle = obstacleTo(header);
    if (header === undefined || obstacle !== undefined || decompressor === null) {
      if (frames === 0) onPassedOn(obstacle ?? "this runtime cannot decompress zstd");
      break;
    }
    yield* reframeFrame(input, header, decompressor);
  }
  for (let piece = await input.next(); piece !== undefined; piece = await input.next()) {
    yield piece;
  }
}

/** Why a frame cannot be written anew. */
function obstacleTo(header: FrameHeader | undefined): string | undefined {
  if (header === undefined) return "it is not compressed with zstd";
  if (!header.hasChecksum) return "it has no checksum";
  if (header.hasDictionary) return "it needs a dictionary";
  return header.windowBytes > MAX_WINDOW_BYTES ? "its window is too large" : undefined;
}

async function* reframeFrame(
  input: DumpReader,
  header: FrameHeader,
  decompressor: ZstdDecompressor,
): AsyncGenerator<Uint8Array> {
  const walker = new FrameWalker(header);
  const hash = await createXXHash64();
  const blocks = new BlockCutter();
  for await (const plain of decompress(frameOf(input, walker), decompressor())) {
    hash.update(plain);
    yield* blocks.add(plain);
  }
  // 16 digits, of which the frame has the last 8.
  const checksum = parseInt(hash.digest("hex").slice(8), 16);
  if (checksum !== walker.checksum) {
    throw new DamagedDumpError("the Neo4j dump does not match its checksum");
  }
  yield* blocks.end(checksum);
}

/**
 * The bytes of one frame, in pieces that end where blocks end. When the decompressor's buffer is
 * full, Deno 2.9 goes on with the rest of a piece later, and damage that is found then is an error
 * that nobody can catch: it ends the program. After a block there is no rest to find damage in.
 */
async function* frameOf(input: DumpReader, walker: FrameWalker): AsyncGenerator<Uint8Array> {
  while (walker.checksum === undefined) {
    const bytes = await input.next();
    if (bytes === undefined) {
      throw new DamagedDumpError("the Neo4j dump is cut off inside a zstd frame");
    }
    const count = walker.advance(bytes);
    yield bytes.subarray(0, count);
    input.putBack(bytes.subarray(count));
  }
}

async function* decompress(
  frame: AsyncIterable<Uint8Array>,
  decompressor: Duplex,
): AsyncGenerator<Uint8Array> {
  let inputFailure: { readonly error: unknown } | undefined;
  decompressor.on("error", () => {
    // Met by the reader below; one that comes later must not end the program.
  });
  const fed = (async () => {
    try {
      for await (const bytes of frame) await write(decompressor, bytes);
      decompressor.end();
    } catch (error) {
      if (decompressor.destroyed) return; // Nobody needs more.
      inputFailure = { error };
      decompressor.destroy(new Error(messageOf(error)));
    }
  })();
  try {
    for await (const plain of decompressor) yield plain;
  } catch (error) {
    if (inputFailure !== undefined) throw inputFailure.error;
    throw new DamagedDumpError(
      `the Neo4j dump cannot be decompressed: ${messageOf(error)}`,
      { cause: error },
    );
  }
  await fed;
}

/** Waits until the bytes have been decompressed and there is room for more. */
function write(decompressor: Duplex, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    decompressor.write(bytes, (error) => error ? reject(error) : resolve());
  });
}

/** Reads a stream piece by piece, and can look ahead. */
class DumpReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Read, but not taken. */
  #ahead: Uint8Array | undefined;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** The next bytes, as many as there are at once; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    let bytes = this.#ahead;
    this.#ahead = undefined;
    while (bytes === undefined || bytes.byteLength === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      bytes = value;
    }
    return bytes;
  }

  /** Gives the next bytes without taking them; less than `count` at the end. */
  async peek(count: number): Promise<Uint8Array> {
    let ahead = this.#ahead ?? new Uint8Array(0);
    while (ahead.byteLength < count) {
      const { value } = await this.#reader.read();
      if (value === undefined) break;
      const joined = new Uint8Array(ahead.byteLength + value.byteLength);
      joined.set(ahead);
      joined.set(value, ahead.byteLength);
      ahead = joined;
    }
    this.putBack(ahead);
    return ahead.subarray(0, count);
  }

  /** Takes bytes of which it is known that there are so many. */
  async take(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count);
    this.putBack((this.#ahead ?? bytes).subarray(count));
    return bytes;
  }

  /** Returns bytes that {@linkcode next} gave: they are the next ones again. */
  putBack(bytes: Uint8Array): void {
    this.#ahead = bytes.byteLength === 0 ? undefined : bytes;
  }

  cancel(reason: unknown): Promise<void> {
    return this.#reader.cancel(reason);
  }
}
