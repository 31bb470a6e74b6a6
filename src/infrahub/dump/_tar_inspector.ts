import { ByteFeeder, type ByteParser, ParseProblem } from "./_byte_parser.ts";
import type { DumpInspector, DumpVerdict } from "./inspector.ts";

/**
 * A tar is records of 512 bytes: a header, then its file's content, padded. Of a header are looked
 * at: size (124, 12 bytes, octal digits, or binary where the first bit is set), checksum (148, 8
 * bytes: the sum of all bytes with these taken for spaces), type (156). Two records of zeros end it;
 * more zeros may follow.
 */
const RECORD_BYTES = 512;
const SIZE_AT = 124;
const SIZE_BYTES = 12;
const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;
const TYPE_AT = 156;
/** Ordinary files; a NUL is what old programs write. */
const FILE_TYPES = ["0", "\0", "7"];

/** Follows a tar through its headers to its end marker. */
export class TarInspector implements DumpInspector {
  readonly #feeder: ByteFeeder<DumpVerdict>;

  /**
   * @param what what it is, for messages
   * @param mayBeEmpty whether it is whole without a file in it
   */
  constructor(what = "the Neo4j backup", mayBeEmpty = false) {
    this.#feeder = new ByteFeeder(what, parseTar(mayBeEmpty));
  }

  observe(bytes: Uint8Array): void {
    this.#feeder.observe(bytes);
  }

  finish(): DumpVerdict {
    return this.#feeder.finish();
  }
}

function* parseTar(mayBeEmpty: boolean): ByteParser<DumpVerdict> {
  let files = 0;
  while (true) {
    const header = yield { kind: "take", length: RECORD_BYTES, what: "a tar header" };
    if (isZero(header)) break;
    const size = parseHeader(header);
    if (FILE_TYPES.includes(String.fromCharCode(header[TYPE_AT] ?? 0)) && size > 0) files++;
    const padded = Math.ceil(size / RECORD_BYTES) * RECORD_BYTES;
    yield { kind: "skip", length: padded, what: "a file of the tar" };
  }
  if (!isZero(yield { kind: "take", length: RECORD_BYTES, what: "the end marker of the tar" })) {
    throw new ParseProblem("has half an end marker");
  }
  while ((yield { kind: "more" }).byteLength > 0) {
    if (!isZero(yield { kind: "take", length: RECORD_BYTES, what: "the padding of the tar" })) {
      throw new ParseProblem("has bytes after its end marker");
    }
  }
  if (files === 0 && !mayBeEmpty) throw new ParseProblem("has no files");
  return { format: "tar" };
}

/** @returns size of the content in bytes */
function parseHeader(header: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < RECORD_BYTES; at++) {
    const inChecksum = at >= CHECKSUM_AT && at < CHECKSUM_AT + CHECKSUM_BYTES;
    sum += inChecksum ? 0x20 : header[at] ?? 0;
  }
  if (parseNumber(header.subarray(CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_BYTES)) !== sum) {
    throw new ParseProblem("has a damaged tar header");
  }
  const size = parseNumber(header.subarray(SIZE_AT, SIZE_AT + SIZE_BYTES));
  if (!Number.isSafeInteger(size)) throw new ParseProblem("has an impossible size in a tar header");
  return size;
}

function parseNumber(field: Uint8Array): number {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    return field.subarray(1).reduce((value, byte) => value * 256 + byte, (field[0] ?? 0) & 0x7f);
  }
  const text = new TextDecoder("latin1").decode(field).replace(/[\0 ]+$/, "").trimStart();
  return text === "" ? 0 : /^[0-7]+$/.test(text) ? parseInt(text, 8) : NaN;
}

function isZero(record: Uint8Array): boolean {
  return record.every((byte) => byte === 0);
}
