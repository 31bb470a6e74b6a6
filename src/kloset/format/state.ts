/**
 * Reading states: which blobs lie where, which packfiles count, what was taken away. The plain
 * stream:
 *
 * ```text
 * since 1.1.0: parent, 32 bytes
 * entries:     type u8, length u32 LE, that many bytes
 * trailer:     type u8 = 1, version u32, timestamp u64 ns, serial 16 bytes
 * ```
 *
 * @module
 */

import { readSafeUint64 } from "./_safe_integer.ts";
import { FormatError } from "./format_error.ts";
import { type Mac, MAC_BYTES } from "./mac.ts";
import { decodeText } from "./msgpack_reader.ts";
import { type Uuid, UUID_BYTES } from "./uuid.ts";
import { VERSION_1_1_0 } from "./version.ts";

/** Numbers of the kinds of state entries. */
export const StateEntryType = {
  /** The trailer. */
  METADATA: 1,
  LOCATIONS: 2,
  /** A snapshot or packfile marked as deleted. */
  COLOURED: 3,
  PACKFILE: 4,
  CONFIGURATION: 5,
  /** Takes an earlier entry back; since 1.1.0. */
  DELETE: 6,
} as const;

/** Lengths of the entries that have a fixed one, bytes. */
export const STATE_ENTRY_BYTES = { LOCATIONS: 85, COLOURED: 41, PACKFILE: 72, DELETE: 66 } as const;

/** Bytes of the trailer after its type byte. */
export const STATE_TRAILER_BYTES = 4 + 8 + UUID_BYTES;

/** What a state says about itself. */
export interface StateMetadata {
  /** The state that its writer had merged last; zero when none, and in states before 1.1.0. */
  readonly parent: Mac;
  /** Version word of the trailer. */
  readonly version: number;
  /** When its writer opened it, nanoseconds since 1970. */
  readonly timestampNs: bigint;
  /** Informative. */
  readonly serial: Uuid;
}

/** Receives the entries of a state in their order. A kind without a method is skipped. */
export interface StateVisitor {
  /**
   * A blob's location. MACs are given as positions in the visited bytes, so that millions of
   * entries cost no allocation.
   *
   * @param type Resource type number of the blob.
   * @param macAt Where the blob's MAC starts in the bytes.
   * @param packfileAt Where the packfile's MAC starts in the bytes.
   * @param offset Position of the encoded blob in the packfile's body.
   * @param length Length of the encoded blob.
   */
  location?(type: number, macAt: number, packfileAt: number, offset: number, length: number): void;
  /** Something is deleted: a resource type number, its MAC, and when, nanoseconds since 1970. */
  coloured?(type: number, mac: Mac, whenNs: bigint): void;
  /** A packfile counts; which state brought it, and when, nanoseconds since 1970. */
  packfile?(packfile: Mac, stateId: Mac, timestampNs: bigint): void;
  /** A setting; its time is nanoseconds since 1970. */
  configuration?(key: string, value: Uint8Array, createdAtNs: bigint): void;
  /**
   * An earlier entry is taken back.
   *
   * @param entryType The kind of that entry: LOCATIONS, COLOURED or PACKFILE.
   * @param type Resource type number; 0 for a PACKFILE.
   * @param mac The blob's MAC; for a coloured packfile the packfile's; zero for a PACKFILE.
   * @param packfile The packfile's MAC; zero for COLOURED.
   */
  deleted?(entryType: number, type: number, mac: Mac, packfile: Mac): void;
}

/**
 * Reads a plain state stream. MACs handed to the visitor, but for locations, are copies.
 *
 * Nothing about the stream can be trusted until this returns: a visitor that merges must be able to
 * forget.
 *
 * @param version The version word of the state's envelope.
 * @throws {FormatError} If the stream is malformed.
 */
export function visitState(
  bytes: Uint8Array,
  version: number,
  visitor: StateVisitor,
): StateMetadata {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hasParent = version === VERSION_1_1_0;
  let at = hasParent ? MAC_BYTES : 0;
  if (at > bytes.length) throw cutShort(0);

  while (true) {
    if (at >= bytes.length) throw cutShort(at);
    const entryType = view.getUint8(at);
    if (entryType === StateEntryType.METADATA) break;
    if (at + 5 > bytes.length) throw cutShort(at);
    const length = view.getUint32(at + 1, true);
    const start = at + 5;
    at = start + length;
    if (at > bytes.length) throw cutShort(start);

    switch (entryType) {
      case StateEntryType.LOCATIONS:
        checkLength(length, STATE_ENTRY_BYTES.LOCATIONS, "LOCATIONS", start);
        visitor.location?.(
          view.getUint8(start),
          start + 5,
          start + 37,
          readSafeUint64(view, start + 69, "state LOCATIONS entry"),
          view.getUint32(start + 77, true),
        );
        break;
      case StateEntryType.COLOURED:
        checkLength(length, STATE_ENTRY_BYTES.COLOURED, "COLOURED", start);
        visitor.coloured?.(
          view.getUint8(start),
          bytes.slice(start + 1, start + 33),
          view.getBigUint64(start + 33, true),
        );
        break;
      case StateEntryType.PACKFILE:
        checkLength(length, STATE_ENTRY_BYTES.PACKFILE, "PACKFILE", start);
        visitor.packfile?.(
          bytes.slice(start, start + 32),
          bytes.slice(start + 32, start + 64),
          view.getBigUint64(start + 64, true),
        );
        break;
      case StateEntryType.CONFIGURATION:
        visitConfiguration(bytes.subarray(start, at), start, visitor);
        break;
      case StateEntryType.DELETE:
        // Older states cannot hold it: their readers skip the number as unknown.
        if (hasParent) visitDelete(bytes.subarray(start, at), start, visitor);
        break;
      default: // an unknown kind is skipped by its length
    }
  }

  const trailer = at + 1;
  if (trailer + STATE_TRAILER_BYTES !== bytes.length) {
    throw new FormatError(
      "state",
      `trailer of ${bytes.length - trailer} bytes instead of ${STATE_TRAILER_BYTES}`,
    );
  }
  return {
    parent: hasParent ? bytes.slice(0, MAC_BYTES) : new Uint8Array(MAC_BYTES),
    version: view.getUint32(trailer, true),
    timestampNs: view.getBigUint64(trailer + 4, true),
    serial: bytes.slice(trailer + 12),
  };
}

/** keyLen u8, key, valueLen u16, value, createdAt u64. */
function visitConfiguration(entry: Uint8Array, start: number, visitor: StateVisitor): void {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  const keyEnd = 1 + (entry[0] ?? 0);
  const valueStart = keyEnd + 2;
  if (valueStart > entry.length) throw cutShort(start);
  const valueEnd = valueStart + view.getUint16(keyEnd, true);
  checkLength(entry.length, valueEnd + 8, "CONFIGURATION", start);
  visitor.configuration?.(
    decodeText(entry.subarray(1, keyEnd)),
    entry.slice(valueStart, valueEnd),
    view.getBigUint64(valueEnd, true),
  );
}

/** entry type u8, blob type u8, blob MAC 32, packfile MAC 32. */
function visitDelete(entry: Uint8Array, start: number, visitor: StateVisitor): void {
  checkLength(entry.length, STATE_ENTRY_BYTES.DELETE, "DELETE", start);
  const entryType = entry[0] ?? 0;
  if (
    entryType !== StateEntryType.LOCATIONS && entryType !== StateEntryType.COLOURED &&
    entryType !== StateEntryType.PACKFILE
  ) {
    throw new FormatError("state", `DELETE of entry type ${entryType} at byte ${start}`);
  }
  visitor.deleted?.(entryType, entry[1] ?? 0, entry.slice(2, 34), entry.slice(34, 66));
}

function checkLength(length: number, expected: number, name: string, start: number): void {
  if (length !== expected) {
    throw new FormatError(
      "state",
      `${name} entry of ${length} bytes instead of ${expected} at byte ${start}`,
    );
  }
}

function cutShort(at: number): FormatError {
  return new FormatError("state", `cut short at byte ${at}`);
}
