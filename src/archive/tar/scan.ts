import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { problemOf } from "../../errors/mod.ts";
import { entryNameProblem, normalizeEntryName, parentsOf } from "./entry_name.ts";
import { type ByteStreamReader, chunksOf, transformed } from "../io/mod.ts";
import {
  ArchiveError,
  ArchiveLimitError,
  DamagedArchiveError,
  UnsafeArchiveError,
} from "../errors.ts";
import type { ArchiveLimits } from "../limits.ts";

/** Entries that an archive may have when the caller does not say. */
const DEFAULT_MAX_ENTRIES = 100_000;
/** What the decompressor gets at once; it returns up to a thousand times as much at once. */
const SLICE_BYTES = 32 * 1024;

/** One pass over an archive. */
export interface ScanOptions extends ArchiveLimits {
  readonly signal?: AbortSignal | undefined;
  /** Told the unpacked bytes so far, headers included. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** A file or directory of an archive, its name checked and in normal form. */
export interface ScannedEntry {
  readonly name: string;
  readonly kind: "file" | "directory";
  /** Bytes of the content, as announced; `content` gives exactly these or fails. */
  readonly size: number;
  readonly mtime: Date;
  /** The content; to be read, if at all, before the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Unpacks gzip and gives its entries in their order; nothing is complete before the last is done:
 * that is when the end of the tar, the checksum of gzip, and the end of the file have been seen.
 *
 * @param name what messages call the archive
 * @param gzip the compressed bytes
 * @throws {UnsafeArchiveError} for links, devices, and names that no backup has, before their
 * content is read
 * @throws {ArchiveLimitError} when a limit is passed
 * @throws {DamagedArchiveError} when gzip or tar are cut, changed, or followed by anything else
 */
export async function* scanEntries(
  name: string,
  gzip: ReadableStream<Uint8Array>,
  options: ScanOptions = {},
): AsyncGenerator<ScannedEntry> {
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, ...options.signal ? [options.signal] : []]);
  const gunzip = new DecompressionStream("gzip");
  const decoder = createTarDecoder({ strict: true });
  const pipes = Promise.allSettled([
    transformed(gzip, slices).pipeTo(gunzip.writable, { signal }),
    transformed(gunzip.readable, (reader) => limited(reader, options)).pipeTo(decoder.writable, {
      signal,
    }),
  ]);
  const rules = new EntryRules(options.maxEntries ?? DEFAULT_MAX_ENTRIES);
  const explain = (error: unknown) => damageOf(name, error, options.signal);
  try {
    for await (const entry of decoder.readable) {
      const scanned = rules.admit(entry, options.maxBytes ?? Infinity, explain);
      if (scanned !== undefined) yield scanned;
      await drain(entry.body);
    }
  } catch (error) {
    throw explain(error);
  } finally {
    stopping.abort();
    await pipes;
  }
}

async function* slices(
  reader: ByteStreamReader,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const chunk of chunksOf(reader)) {
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) yield chunk.slice(at, at + SLICE_BYTES);
  }
}

async function* limited(
  reader: ByteStreamReader,
  { maxBytes = Infinity, onProgress }: ScanOptions,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of chunksOf(reader)) {
    total += chunk.length;
    if (total > maxBytes) throw tooLarge(maxBytes);
    onProgress?.(total);
    yield chunk;
  }
}

function tooLarge(maxBytes: number): ArchiveLimitError {
  return new ArchiveLimitError(`archive unpacks to more than ${maxBytes} bytes`);
}

/** What was thrown, in the terms of this library: what is not known otherwise is damage. */
function damageOf(name: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof ArchiveError) return error;
  return new DamagedArchiveError(`archive "${name}" is damaged: ${problemOf(error)}`, {
    cause: error,
  });
}

/** Lets only those entries pass that a backup has. */
class EntryRules {
  readonly #maxEntries: number;
  readonly #names = new Set<string>();
  readonly #files = new Set<string>();
  readonly #parents = new Set<string>();
  #count = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** Undefined for the directory that everything lies in. */
  admit(
    { header, body }: ParsedTarEntry,
    maxBytes: number,
    explain: (error: unknown) => unknown,
  ): ScannedEntry | undefined {
    if (++this.#count > this.#maxEntries) {
      throw new ArchiveLimitError(`archive has more than ${this.#maxEntries} entries`);
    }
    const problem = entryNameProblem(header.name);
    if (problem !== undefined) {
      throw new UnsafeArchiveError(
        `illegal file path in archive: ${printable(header.name)} (${problem})`,
      );
    }
    const kind = header.type;
    if (kind !== "file" && kind !== "directory") throw illegal(header.name, `is a ${kind}`);
    if (Object.keys(header.pax ?? {}).some((key) => key.startsWith("GNU.sparse."))) {
      throw illegal(header.name, "is a sparse file");
    }
    if (header.size > maxBytes) throw tooLarge(maxBytes);
    const name = normalizeEntryName(header.name);
    if (name === "" && kind === "directory") return undefined;
    this.#remember(name, kind);
    return {
      name,
      kind,
      size: header.size,
      mtime: header.mtime ?? new Date(0),
      content: explained(body, explain),
    };
  }

  #remember(name: string, kind: "file" | "directory"): void {
    const parents = parentsOf(name);
    if (name === "" || this.#names.has(name)) throw illegal(name, "stands in it twice");
    if (kind === "file" && this.#parents.has(name) || parents.some((p) => this.#files.has(p))) {
      throw illegal(name, "is a file and a directory");
    }
    this.#names.add(name);
    if (kind === "file") this.#files.add(name);
    for (const parent of parents) this.#parents.add(parent);
  }
}

function illegal(name: string, problem: string): UnsafeArchiveError {
  return new UnsafeArchiveError(`illegal entry in archive: ${printable(name)} ${problem}`);
}

/** A name for a message: in quotes when it could upset a terminal. */
function printable(name: string): string {
  return /^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name);
}

/**
 * Reads what is left. Cancelling would do in theory, but when the decoder has the next entry at
 * hand already, it takes that one's content away instead, and its reader waits for ever.
 */
async function drain(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  while (!(await reader.read()).done);
}

async function* explained(
  body: ReadableStream<Uint8Array>,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body.values({ preventCancel: true });
  } catch (error) {
    throw explain(error);
  }
}
