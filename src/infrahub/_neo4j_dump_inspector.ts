import { ByteFeeder, type ByteParser, ParseProblem } from "./_byte_parser.ts";
import type { DumpInspector, DumpVerdict, Neo4jDumpCompression } from "./dump_verification.ts";

/**
 * A Neo4j dump is one compressed stream, zstd or gzip; some versions put four letters in front that
 * say which. A zstd frame is
 *
 * | Part | Bytes |
 * |---|---|
 * | magic | `28 B5 2F FD` |
 * | descriptor | 1: size of the content size (2 bits), single segment, 2 unused, checksum, dictionary (2 bits) |
 * | window | 1, unless single segment |
 * | dictionary | 0, 1, 2 or 4 |
 * | content size | 0, 1, 2, 4 or 8 |
 * | blocks | 3 bytes each: last (1 bit), type (2 bits), size; then the content: `size` bytes, or 1 for type 1 |
 * | checksum | 4, if so described |
 *
 * so that its end can be found without decompressing anything. Frames may follow one another, also
 * such as are to be passed over: magic `5x 2A 4D 18`, 4 bytes of length, content.
 */
const ZSTD_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const PREFIX_ZSTD = "DZV1";
const PREFIX_GZIP = "DGV1";
const BLOCK_REPEATED = 1;
const BLOCK_RESERVED = 3;
/** The largest block that a decoder must take, and so the largest that is written. */
const MAX_BLOCK_BYTES = 128 * 1024;
const MIN_GZIP_BYTES = 18;

/** Follows a Neo4j dump from frame to frame to its end. */
export class Neo4jDumpInspector implements DumpInspector {
  readonly #feeder = new ByteFeeder("the Neo4j dump", parseDump());

  observe(bytes: Uint8Array): void {
    this.#feeder.observe(bytes);
  }

  finish(): DumpVerdict {
    return this.#feeder.finish();
  }

  /** By the first 8 bytes. */
  static compression(start: Uint8Array): Neo4jDumpCompression | undefined {
    const prefix = prefixOf(start);
    if (prefix !== undefined) return prefix;
    if (start.byteLength >= 4 && littleEndian(start, 0, 4) === ZSTD_MAGIC) return "zstd";
    return start[0] === 0x1f && start[1] === 0x8b ? "gzip" : undefined;
  }
}

function* parseDump(): ByteParser<DumpVerdict> {
  const what = "its first bytes";
  let magic = yield { kind: "take", length: 4, what };
  const prefix = prefixOf(magic);
  if (prefix !== undefined) magic = yield { kind: "take", length: 4, what };
  const compression = Neo4jDumpInspector.compression(magic);
  if (compression === undefined || (prefix !== undefined && prefix !== compression)) {
    throw new ParseProblem("does not begin like one (neither zstd nor gzip)");
  }
  const format = `Neo4j dump (${compression})`;
  if (compression === "gzip") {
    yield { kind: "skip", length: MIN_GZIP_BYTES - magic.byteLength, what };
    yield { kind: "rest" };
    return { format, limitation: "Whether a gzip dump is complete shows only when it is loaded" };
  }
  yield* parseFrame();
  while ((yield { kind: "more" }).byteLength > 0) {
    const next = littleEndian(yield { kind: "take", length: 4, what: "a frame" }, 0, 4);
    if (next === ZSTD_MAGIC) {
      yield* parseFrame();
    } else if ((next & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      const size = littleEndian(yield { kind: "take", length: 4, what: "a frame" }, 0, 4);
      yield { kind: "skip", length: size, what: "a frame" };
    } else {
      throw new ParseProblem("has bytes after its end");
    }
  }
  return { format };
}

/** A zstd frame without its magic. */
function* parseFrame(): ByteParser<void> {
  const what = "a zstd frame";
  const [descriptor = 0] = yield { kind: "take", length: 1, what };
  const singleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  if ((descriptor & 0x08) !== 0) throw new ParseProblem("has a damaged zstd header");
  const sizeFlag = descriptor >> 6;
  const contentSizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const rest = (singleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes;
  yield { kind: "skip", length: rest, what };
  let last = false;
  while (!last) {
    const header = littleEndian(yield { kind: "take", length: 3, what }, 0, 3);
    last = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === BLOCK_RESERVED || size > MAX_BLOCK_BYTES) {
      throw new ParseProblem("has a damaged zstd block");
    }
    yield { kind: "skip", length: type === BLOCK_REPEATED ? 1 : size, what };
  }
  if (hasChecksum) yield { kind: "skip", length: 4, what: "its checksum" };
}

function prefixOf(start: Uint8Array): Neo4jDumpCompression | undefined {
  const text = String.fromCharCode(...start.subarray(0, 4));
  return text === PREFIX_ZSTD ? "zstd" : text === PREFIX_GZIP ? "gzip" : undefined;
}

function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}
