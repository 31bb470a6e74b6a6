/**
 * The envelope around every stored file.
 *
 * | offset | size | content |
 * |---|---|---|
 * | 0 | 8 | `_KLOSET_`; `_PLAKAR_` is accepted |
 * | 8 | 4 | resource type, u32 LE |
 * | 12 | 4 | version, u32 LE |
 * | 16 | n | payload |
 * | 16+n | 32 | MAC of all the bytes before |
 *
 * @module
 */

import { FormatError } from "./format_error.ts";
import { MAC_BYTES, type MacFunction, macsEqual } from "./mac.ts";
import { resourceTypeName } from "./resource_type.ts";
import { formatVersion } from "./version.ts";

/** Bytes before the payload. */
export const ENVELOPE_HEADER_BYTES = 16;

/** Bytes after the payload. */
export const ENVELOPE_FOOTER_BYTES = MAC_BYTES;

const MAGIC = "_KLOSET_";
const OLD_MAGIC = "_PLAKAR_";

/** What the first 16 bytes of a stored file say. */
export interface EnvelopeHeader {
  /** Resource type number. */
  readonly type: number;
  /** Version word. */
  readonly version: number;
}

/** A stored file taken apart. */
export interface Envelope {
  /** Version word. */
  readonly version: number;
  /** The payload: a view of the given bytes. */
  readonly payload: Uint8Array;
}

/** The 16 bytes before a payload. */
export function encodeEnvelopeHeader(type: number, version: number): Uint8Array {
  const header = new Uint8Array(ENVELOPE_HEADER_BYTES);
  const view = new DataView(header.buffer);
  for (let i = 0; i < MAGIC.length; i++) header[i] = MAGIC.charCodeAt(i);
  view.setUint32(8, type, true);
  view.setUint32(12, version, true);
  return header;
}

/**
 * Reads the first 16 bytes; more may follow.
 *
 * @throws {FormatError} If the bytes are too few or the magic is wrong.
 */
export function decodeEnvelopeHeader(bytes: Uint8Array): EnvelopeHeader {
  if (bytes.length < ENVELOPE_HEADER_BYTES) {
    throw new FormatError("envelope", `${bytes.length} bytes, too short for a header`);
  }
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC && magic !== OLD_MAGIC) {
    throw new FormatError("envelope", "does not start with the Kloset magic bytes", "magic");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { type: view.getUint32(8, true), version: view.getUint32(12, true) };
}

/** A whole stored file: header, payload, footer. */
export function encodeEnvelope(
  type: number,
  version: number,
  payload: Uint8Array,
  mac: MacFunction,
): Uint8Array {
  const signedBytes = ENVELOPE_HEADER_BYTES + payload.length;
  const file = new Uint8Array(signedBytes + ENVELOPE_FOOTER_BYTES);
  file.set(encodeEnvelopeHeader(type, version));
  file.set(payload, ENVELOPE_HEADER_BYTES);
  file.set(mac(file.subarray(0, signedBytes)), signedBytes);
  return file;
}

/**
 * Takes a whole stored file apart **without** checking its footer. Needed for CONFIG alone, which
 * tells by itself which key its footer was made with; then comes {@linkcode verifyEnvelope}.
 *
 * @throws {FormatError} If the file is too short, not of the expected type, or of a greater
 *   version.
 */
export function splitEnvelope(
  bytes: Uint8Array,
  expectedType: number,
  maximumVersion: number,
): Envelope {
  const where = `${resourceTypeName(expectedType)} envelope`;
  const { type, version } = decodeEnvelopeHeader(bytes);
  if (type !== expectedType) throw new FormatError(where, `is a ${resourceTypeName(type)} instead`);
  if (version > maximumVersion) {
    throw new FormatError(
      where,
      `version ${formatVersion(version)} is newer than ${formatVersion(maximumVersion)}`,
      "version",
    );
  }
  const payloadEnd = bytes.length - ENVELOPE_FOOTER_BYTES;
  if (payloadEnd < ENVELOPE_HEADER_BYTES) {
    throw new FormatError(where, `${bytes.length} bytes, too short for a footer`);
  }
  return { version, payload: bytes.subarray(ENVELOPE_HEADER_BYTES, payloadEnd) };
}

/**
 * Checks the footer of a whole stored file.
 *
 * @throws {FormatError} If it does not match the bytes before it.
 */
export function verifyEnvelope(bytes: Uint8Array, mac: MacFunction): void {
  const payloadEnd = bytes.length - ENVELOPE_FOOTER_BYTES;
  if (payloadEnd < ENVELOPE_HEADER_BYTES) {
    throw new FormatError("envelope", `${bytes.length} bytes, too short for a footer`);
  }
  if (!macsEqual(mac(bytes.subarray(0, payloadEnd)), bytes.subarray(payloadEnd))) {
    throw new FormatError("envelope", "the footer does not match the content", "checksum");
  }
}

/**
 * Takes a whole stored file apart and checks everything about it.
 *
 * @param mac The MAC the footer was made with.
 * @throws {FormatError} If anything about the envelope is wrong.
 */
export function openEnvelope(
  bytes: Uint8Array,
  expectedType: number,
  maximumVersion: number,
  mac: MacFunction,
): Envelope {
  const envelope = splitEnvelope(bytes, expectedType, maximumVersion);
  verifyEnvelope(bytes, mac);
  return envelope;
}
