/**
 * The parts of a packfile that are not blobs. The body is the payload of a PACKFILE envelope:
 *
 * ```text
 * data     encoded blobs back to back, offset 0 = first byte of the body
 * index    encoded, of 56-byte records
 * footer   encoded, of 56 bytes
 * u32 LE   length of the encoded footer
 * ```
 *
 * Index record: type u32, version u32, MAC 32, offset u64, length u32, flags u32.
 * Footer: timestamp i64, count u32, index offset u64, index MAC 32, flags u32. All little endian.
 *
 * @module
 */

import { ByteWriter } from "./_byte_writer.ts";
import { readSafeUint64 } from "./_safe_integer.ts";
import { FormatError } from "./format_error.ts";
import { type Mac, MAC_BYTES, type MacFunction, macsEqual } from "./mac.ts";

/** Bytes of one plain index record. */
export const PACKFILE_RECORD_BYTES = 56;

/** Bytes of the plain footer. */
export const PACKFILE_FOOTER_BYTES = 56;

/** Bytes of the word that ends a packfile's body: the length of the encoded footer. */
export const PACKFILE_LENGTH_BYTES = 4;

/** One blob as the index of its packfile lists it. */
export interface PackfileRecord {
  /** Resource type number. */
  readonly type: number;
  /** Version word. */
  readonly version: number;
  readonly mac: Mac;
  /** Position of the encoded blob in the body, bytes. */
  readonly offset: number;
  /** Length of the encoded blob, bytes. */
  readonly length: number;
  readonly flags: number;
}

/** The footer of a packfile. */
export interface PackfileFooter {
  /** Nanoseconds since 1970. Version 1.0.13 wrote seconds. */
  readonly timestampNs: bigint;
  /** Number of index records. */
  readonly count: number;
  /** Where the encoded index starts in the body: the length of the data. */
  readonly indexOffset: number;
  /** MAC of the plain index. */
  readonly indexMac: Mac;
  readonly flags: number;
}

/** The plain index. */
export function encodePackfileIndex(records: readonly PackfileRecord[]): Uint8Array {
  const out = new ByteWriter(records.length * PACKFILE_RECORD_BYTES);
  for (const record of records) {
    out.u32le(record.type);
    out.u32le(record.version);
    out.exactBytes(record.mac, MAC_BYTES);
    out.u64le(record.offset);
    out.u32le(record.length);
    out.u32le(record.flags);
  }
  return out.finish();
}

/**
 * Reads a plain index and checks it against its footer: MAC, number of records, every blob inside
 * the data.
 *
 * @throws {FormatError} If any of that is wrong.
 */
export function decodePackfileIndex(
  bytes: Uint8Array,
  footer: PackfileFooter,
  mac: MacFunction,
): PackfileRecord[] {
  if (bytes.length !== footer.count * PACKFILE_RECORD_BYTES) {
    throw new FormatError(
      "packfile index",
      `${bytes.length} bytes do not hold the ${footer.count} records that the footer counts`,
    );
  }
  if (!macsEqual(mac(bytes), footer.indexMac)) {
    throw new FormatError("packfile index", "does not match its MAC in the footer", "checksum");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: PackfileRecord[] = [];
  for (let at = 0; at < bytes.length; at += PACKFILE_RECORD_BYTES) {
    const record = {
      type: view.getUint32(at, true),
      version: view.getUint32(at + 4, true),
      mac: bytes.slice(at + 8, at + 40),
      offset: readSafeUint64(view, at + 40, "packfile index"),
      length: view.getUint32(at + 48, true),
      flags: view.getUint32(at + 52, true),
    };
    if (record.offset + record.length > footer.indexOffset) {
      throw new FormatError(
        "packfile index",
        `record ${records.length} ends at ${record.offset + record.length}, ` +
          `beyond the data of ${footer.indexOffset} bytes`,
      );
    }
    records.push(record);
  }
  return records;
}

/** The plain footer. */
export function encodePackfileFooter(footer: PackfileFooter): Uint8Array {
  const out = new ByteWriter(PACKFILE_FOOTER_BYTES);
  out.i64le(footer.timestampNs);
  out.u32le(footer.count);
  out.u64le(footer.indexOffset);
  out.exactBytes(footer.indexMac, MAC_BYTES);
  out.u32le(footer.flags);
  return out.finish();
}

/**
 * Reads a plain footer.
 *
 * @throws {FormatError} If it is not 56 bytes.
 */
export function decodePackfileFooter(bytes: Uint8Array): PackfileFooter {
  if (bytes.length !== PACKFILE_FOOTER_BYTES) {
    throw new FormatError(
      "packfile footer",
      `${bytes.length} bytes instead of ${PACKFILE_FOOTER_BYTES}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    timestampNs: view.getBigInt64(0, true),
    count: view.getUint32(8, true),
    indexOffset: readSafeUint64(view, 12, "packfile footer"),
    indexMac: bytes.slice(20, 52),
    flags: view.getUint32(52, true),
  };
}

/**
 * Finds the encoded footer in a body, or in the end of one.
 *
 * @param tail The last bytes of the body, or all of it.
 * @returns The encoded footer, a view, and where in `tail` it starts.
 * @throws {FormatError} If the length word does not fit in `tail`.
 */
export function locatePackfileFooter(
  tail: Uint8Array,
): { readonly encodedFooter: Uint8Array; readonly start: number } {
  const wordAt = tail.length - PACKFILE_LENGTH_BYTES;
  if (wordAt < 0) throw new FormatError("packfile", `body of ${tail.length} bytes is too short`);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const length = view.getUint32(wordAt, true);
  if (length > wordAt) {
    throw new FormatError("packfile", `footer of ${length} bytes does not fit in ${wordAt}`);
  }
  return { encodedFooter: tail.subarray(wordAt - length, wordAt), start: wordAt - length };
}

/**
 * Cuts the encoded index out of a whole body.
 *
 * @param footerStart Where the encoded footer starts in the body.
 * @returns A view of the body.
 * @throws {FormatError} If the index would start behind its end.
 */
export function slicePackfileIndex(
  body: Uint8Array,
  footer: PackfileFooter,
  footerStart: number,
): Uint8Array {
  if (footer.indexOffset > footerStart || footerStart > body.length) {
    throw new FormatError(
      "packfile footer",
      `index at ${footer.indexOffset} does not lie before the footer at ${footerStart}`,
    );
  }
  return body.subarray(footer.indexOffset, footerStart);
}
