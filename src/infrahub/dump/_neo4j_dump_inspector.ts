import { ByteFeeder, type ByteParser, ParseProblem } from "./_byte_parser.ts";
import {
  BLOCK_HEADER_BYTES,
  BLOCK_REPEATED,
  BLOCK_RESERVED,
  CHECKSUM_BYTES,
  littleEndian,
  MAX_BLOCK_BYTES,
  parseDescriptor,
  ZSTD_MAGIC,
} from "./_zstd_frame.ts";
import type { DumpInspector, DumpVerdict, Neo4jDumpCompression } from "./inspector.ts";

/**
 * A Neo4j dump is one compressed stream, zstd or gzip; some versions put four letters in front that
 * say which. The end of a zstd frame can be found without decompressing anything: see
 * `_zstd_frame.ts`. Frames may follow one another, also such as are to be passed over: magic
 * `5x 2A 4D 18`, 4 bytes of length, content.
 */
const SKIPPABLE_MAGIC = 0x184d2a50;
const PREFIX_ZSTD = "DZV1";
const PREFIX_GZIP = "DGV1";
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
  const layout = parseDescriptor(descriptor);
  if (layout === undefined) throw new ParseProblem("has a damaged zstd header");
  const rest = layout.window + layout.dictionary + layout.contentSize;
  yield { kind: "skip", length: rest, what };
  let last = false;
  while (!last) {
    const bytes = yield { kind: "take", length: BLOCK_HEADER_BYTES, what };
    const header = littleEndian(bytes, 0, BLOCK_HEADER_BYTES);
    last = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === BLOCK_RESERVED || size > MAX_BLOCK_BYTES) {
      throw new ParseProblem("has a damaged zstd block");
    }
    yield { kind: "skip", length: type === BLOCK_REPEATED ? 1 : size, what };
  }
  if (layout.hasChecksum) {
    yield { kind: "skip", length: CHECKSUM_BYTES, what: "its checksum" };
  }
}

function prefixOf(start: Uint8Array): Neo4jDumpCompression | undefined {
  const text = String.fromCharCode(...start.subarray(0, 4));
  return text === PREFIX_ZSTD ? "zstd" : text === PREFIX_GZIP ? "gzip" : undefined;
}
