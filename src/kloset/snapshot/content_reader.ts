import type { Region } from "../../kernels/mod.ts";
import { type BlobReader, filePosition } from "../packfile/mod.ts";
import { type CorruptionContext, CorruptionError, ObjectNotFoundError } from "../errors.ts";
import {
  FormatError,
  type KlosetObject,
  macsEqual,
  macToHex,
  type ObjectChunk,
  ResourceType,
} from "../format/mod.ts";
import { type MemoryBudget, rereadOnDamage, StreamMac } from "../unit/mod.ts";
import type { Store } from "../store/mod.ts";
import type { Encoding, HashedPart, MacParameters, WorkerPool } from "../workers/mod.ts";

/** Neighbouring chunks are read together up to this many stored bytes. */
const RANGE_STORED_BYTES = 4 * 1024 * 1024;

/** Neighbouring chunks are read together up to this many plain bytes. */
const RANGE_PLAIN_BYTES = 8 * 1024 * 1024;

/** No writer makes larger chunks; more is a damaged or hostile object. */
const MAXIMUM_CHUNK_BYTES = 128 * 1024 * 1024;

export interface ContentReaderOptions {
  readonly pool: WorkerPool;
  readonly store: Store;
  readonly blobs: BlobReader;
  readonly mac: MacParameters;
  readonly encoding: Encoding;
  /** For stored and plain chunks alike. */
  readonly memory: MemoryBudget;
  readonly signal: AbortSignal;
  /** Which content this is, for messages. */
  readonly snapshot: string;
  readonly path: string;
}

/** A chunk and where it is stored. */
interface Part {
  readonly chunk: ObjectChunk;
  /** Where its bytes stand in the content. */
  readonly contentPosition: number;
  /** Position in the packfile's file. */
  readonly position: number;
  readonly storedLength: number;
}

/** Chunks that lie side by side in one packfile, and are read in one go. */
interface Range {
  readonly packfile: string;
  readonly parts: Part[];
  storedLength: number;
  plainLength: number;
}

/** Where a part is decoded from and to. */
interface PartMemory {
  readonly stored: Region;
  /** Where in `stored` its bytes belong. */
  readonly start: number;
  /** Whether they are there. */
  readonly isRead: boolean;
  readonly target: Region;
}

interface LoadedRange {
  readonly range: Range;
  readonly stored: Region;
  /** Its chunks, one after the other. */
  readonly plain: Region;
}

/**
 * Hands a content's bytes to `write`, in order: ranges of packfiles are read ahead, decoded and
 * authenticated on the workers. No byte reaches `write` before its chunk's MAC was verified; the
 * MAC of the whole is verified at the end.
 *
 * @param write gets a view of shared memory, valid until its promise resolves
 * @returns the content's length in bytes
 * @throws {CorruptionError} a chunk is missing or damaged, or the whole is not what was written
 * @throws whatever the store or `write` fails with, or the signal's reason
 */
export async function copyContent(
  object: KlosetObject,
  options: ContentReaderOptions,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<number> {
  options.pool.warmUp();
  const copy = new ContentCopy(options, write);
  try {
    for await (const range of rangesOf(object, options)) await copy.take(range);
    return await copy.finish(object);
  } finally {
    await copy.dispose();
  }
}

class ContentCopy {
  readonly #options: ContentReaderOptions;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #contentMac: StreamMac;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #failure = new AbortController();
  readonly #stopped: AbortSignal;
  #emitted: Promise<void> = Promise.resolve();
  #length = 0;

  constructor(options: ContentReaderOptions, write: (bytes: Uint8Array) => Promise<void>) {
    this.#options = options;
    this.#write = write;
    this.#contentMac = new StreamMac(options.pool, options.mac);
    this.#stopped = AbortSignal.any([options.signal, this.#failure.signal]);
  }

  /** Starts reading a range, once there is memory for all of it. */
  async take(range: Range): Promise<void> {
    const { memory } = this.#options;
    const regions = await memory.acquireAll(
      [range.storedLength, range.plainLength],
      { holder: this },
    );
    const [stored, plain] = regions as [Region, Region];
    const loaded: LoadedRange = { range, stored, plain };
    const decoded = this.#load(loaded);
    const emitted = this.#emit(loaded, decoded, this.#emitted);
    this.#emitted = emitted;
    const done = Promise.allSettled([decoded, emitted]).then((results) => {
      for (const region of regions) memory.release(region);
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) this.#failure.abort(failed.reason);
      this.#inFlight.delete(done);
    });
    this.#inFlight.add(done);
    this.#stopped.throwIfAborted();
  }

  async finish(object: KlosetObject): Promise<number> {
    await this.#emitted;
    if (!macsEqual(this.#contentMac.digest(), object.contentMac)) {
      throw corruption(this.#options, "its content does not match the MAC of the whole");
    }
    return this.#length;
  }

  /** Waits until no thread uses this content's memory any more. */
  async dispose(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
    this.#contentMac.dispose();
  }

  /** Reads a range and decodes its chunks, each to its place. */
  async #load({ range, stored, plain }: LoadedRange): Promise<HashedPart[]> {
    this.#stopped.throwIfAborted();
    const { store, pool } = this.#options;
    const [{ position: first, contentPosition }] = range.parts as [Part];
    let isRead = true;
    try {
      await store.read(
        "packfile",
        range.packfile,
        first,
        pool.kernels.bytes(stored, 0, range.storedLength),
      );
    } catch (error) {
      if (!(error instanceof CorruptionError || error instanceof ObjectNotFoundError)) throw error;
      // A packfile that ends too early may still hold some of the chunks, and another packfile any of
      // them: each is read by itself.
      isRead = false;
    }
    const results = await Promise.allSettled(
      range.parts.map((part) =>
        this.#decode(range, part, {
          stored,
          start: part.position - first,
          isRead,
          target: {
            offset: plain.offset + part.contentPosition - contentPosition,
            length: part.chunk.length,
          },
        })
      ),
    );
    return results.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
  }

  /** A part from the packfile where it was looked for, or else from any other that holds it. */
  async #decode(range: Range, part: Part, memory: PartMemory): Promise<HashedPart> {
    try {
      return await this.#decodeStored(range, part, memory);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      return await this.#readCopy(part, memory.target, error);
    }
  }

  async #decodeStored(
    range: Range,
    part: Part,
    { stored, start, isRead, target }: PartMemory,
  ): Promise<HashedPart> {
    const { pool, store, mac, encoding } = this.#options;
    const damaged = (problem: string) =>
      corruption(this.#options, problem, {
        chunk: macToHex(part.chunk.contentMac),
        packfile: range.packfile,
      });
    let isAtHand = isRead;
    const decode = async () => {
      if (!isAtHand) {
        await store.read(
          "packfile",
          range.packfile,
          part.position,
          pool.kernels.bytes(stored, start, start + part.storedLength),
        );
      }
      isAtHand = false;
      const result = await pool.run({
        operation: "decode",
        data: stored,
        start,
        length: part.storedLength,
        target,
        encoding,
        mac,
        position: part.contentPosition,
      });
      if ("damage" in result) throw new FormatError("encoded chunk", result.damage);
      if (result.length !== part.chunk.length) {
        throw new FormatError(
          "chunk",
          `${result.length} bytes instead of ${part.chunk.length}`,
        );
      }
      if (!macsEqual(result.mac, part.chunk.contentMac)) {
        throw new FormatError("chunk", "its content does not match its MAC", "checksum");
      }
      return result.part;
    };
    try {
      return await rereadOnDamage(decode, damaged);
    } catch (error) {
      if (error instanceof ObjectNotFoundError) throw damaged("the packfile is missing");
      throw error;
    }
  }

  /** Reads a part whose first copy is damaged from another one, where there is any. */
  async #readCopy(part: Part, target: Region, damage: CorruptionError): Promise<HashedPart> {
    const { pool, blobs, mac } = this.#options;
    const plain = await blobs.readInstead(ResourceType.CHUNK, part.chunk.contentMac, damage);
    if (plain.length !== part.chunk.length) throw damage;
    pool.kernels.bytes(target).set(plain);
    return await pool.run({
      operation: "part",
      data: target,
      length: plain.length,
      mac,
      position: part.contentPosition,
    });
  }

  async #emit(
    loaded: LoadedRange,
    decoded: Promise<HashedPart[]>,
    previous: Promise<void>,
  ): Promise<void> {
    const [load, before] = await Promise.allSettled([decoded, previous]);
    if (before.status === "rejected") throw before.reason;
    if (load.status === "rejected") throw load.reason;
    const { range, plain } = loaded;
    let end = 0;
    for (const [i, { chunk: { length } }] of range.parts.entries()) {
      const data = { offset: plain.offset + end, length };
      this.#contentMac.join(load.value[i], data, length);
      end += length;
    }
    this.#stopped.throwIfAborted();
    if (end > 0) await this.#write(this.#options.pool.kernels.bytes(plain, 0, end));
    this.#length += end;
  }
}

/** The content's chunks in order, grouped where they lie side by side. */
async function* rangesOf(
  object: KlosetObject,
  options: ContentReaderOptions,
): AsyncGenerator<Range> {
  let range: Range | undefined;
  let contentPosition = 0;
  for (const chunk of object.chunks) {
    if (chunk.length > MAXIMUM_CHUNK_BYTES) {
      throw corruption(options, `a chunk claims ${chunk.length} bytes`, {
        chunk: macToHex(chunk.contentMac),
      });
    }
    const location = await locate(chunk, options);
    if (location.length > 2 * MAXIMUM_CHUNK_BYTES) {
      throw corruption(options, `a stored chunk claims ${location.length} bytes`, {
        chunk: macToHex(chunk.contentMac),
        packfile: macToHex(location.packfile),
      });
    }
    const part = {
      chunk,
      contentPosition,
      position: filePosition(location),
      storedLength: location.length,
    };
    contentPosition += chunk.length;
    const packfile = macToHex(location.packfile);
    if (range !== undefined && isNext(range, packfile, part)) {
      range.parts.push(part);
      range.storedLength += part.storedLength;
      range.plainLength += chunk.length;
      continue;
    }
    if (range !== undefined) yield range;
    range = {
      packfile,
      parts: [part],
      storedLength: part.storedLength,
      plainLength: chunk.length,
    };
  }
  if (range !== undefined) yield range;
}

function isNext(range: Range, packfile: string, part: Part): boolean {
  const last = range.parts[range.parts.length - 1]!;
  return range.packfile === packfile && last.position + last.storedLength === part.position &&
    range.storedLength + part.storedLength <= RANGE_STORED_BYTES &&
    range.plainLength + part.chunk.length <= RANGE_PLAIN_BYTES;
}

async function locate(chunk: ObjectChunk, options: ContentReaderOptions) {
  try {
    return await options.blobs.locate(ResourceType.CHUNK, chunk.contentMac);
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    throw corruption(options, "a chunk is missing: no packfile holds it", error.context);
  }
}

function corruption(
  { snapshot, path }: ContentReaderOptions,
  problem: string,
  context: CorruptionContext = {},
): CorruptionError {
  const where = [
    context.chunk === undefined ? "" : `, chunk ${context.chunk}`,
    context.packfile === undefined ? "" : `, packfile ${context.packfile}`,
  ].join("");
  return new CorruptionError(
    `Snapshot ${snapshot.slice(0, 16)}, "${path}"${where} is damaged: ${problem}`,
    { snapshot, path, ...context },
  );
}
