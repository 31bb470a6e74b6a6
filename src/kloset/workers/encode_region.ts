import { gunzipSync, gzipSync } from "node:zlib";
import { ToolError } from "../../errors/mod.ts";
import { type Kernels, Lz4Error, lz4FrameBound, type Region } from "../../kernels/mod.ts";
import {
  DecryptionError,
  decryptUnit,
  encryptionOverhead,
  encryptUnit,
} from "../encryption/mod.ts";
import type { Compression, Encoding } from "./tasks.ts";

/** An encoded unit that does not decode. */
export class DamagedUnitError extends ToolError {}

/** Greatest encoded length of `length` plain bytes, however badly they compress. */
export function encodedBound(length: number, { encryption }: Encoding): number {
  const compressed = compressedBound(length);
  return encryption === undefined
    ? compressed
    : compressed + encryptionOverhead(compressed, encryption);
}

function compressedBound(length: number): number {
  // gzip adds at most 5 bytes per 16 KiB block and 18 around them; LZ4 frames stay below that.
  return Math.max(lz4FrameBound(length), length + 5 * (Math.ceil(length / 16_384) + 1) + 18);
}

/**
 * Encodes `data[0, length)` into `target`, another region, of at least {@linkcode encodedBound}.
 *
 * @returns the encoded length
 */
export function encodeRegion(
  kernels: Kernels,
  { compression, encryption }: Encoding,
  data: Region,
  length: number,
  target: Region,
): number {
  if (encryption === undefined) return compress(kernels, compression, data, length, target);
  // Compressed where it is to be encrypted in place, so that no further memory is needed.
  const start = encryptionOverhead(compressedBound(length), encryption);
  const room = { offset: target.offset + start, length: target.length - start };
  const compressed = compress(kernels, compression, data, length, room);
  return encryptUnit(kernels, encryption, target, start, compressed);
}

function compress(
  kernels: Kernels,
  compression: Compression,
  data: Region,
  length: number,
  target: Region,
): number {
  switch (compression) {
    case "LZ4":
      return kernels.lz4Encode(data, 0, length, target);
    case "GZIP": {
      const bytes = gzipSync(kernels.bytes(data, 0, length).slice());
      kernels.bytes(target).set(bytes);
      return bytes.length;
    }
    case undefined:
      kernels.bytes(target).set(kernels.bytes(data, 0, length));
      return length;
  }
}

/**
 * Decodes `data[start, end)`, which is lost if it is encrypted, into `target`, another region.
 *
 * @returns the plain length
 * @throws {DamagedUnitError} it is damaged, or holds more than `target` does
 */
export function decodeRegion(
  kernels: Kernels,
  { compression, encryption }: Encoding,
  data: Region,
  start: number,
  end: number,
  target: Region,
): number {
  try {
    const length = encryption === undefined
      ? end - start
      : decryptUnit(kernels, encryption, data, start, end);
    return decompress(kernels, compression, data, start, start + length, target);
  } catch (error) {
    // Only what the decoders themselves report is damage; the rest is a fault of ours.
    if (error instanceof Lz4Error || error instanceof DecryptionError) {
      throw new DamagedUnitError(error.message, { cause: error });
    }
    throw error;
  }
}

function decompress(
  kernels: Kernels,
  compression: Compression,
  data: Region,
  start: number,
  end: number,
  target: Region,
): number {
  switch (compression) {
    case "LZ4":
      return kernels.lz4Decode(data, start, end, target);
    case "GZIP": {
      const bytes = gunzip(kernels.bytes(data, start, end).slice(), target.length);
      kernels.bytes(target).set(bytes);
      return bytes.length;
    }
    case undefined:
      if (end - start > target.length) throw new DamagedUnitError("it is longer than recorded");
      kernels.bytes(target).set(kernels.bytes(data, start, end));
      return end - start;
  }
}

function gunzip(bytes: Uint8Array, maximumLength: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(maximumLength, 1) });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new DamagedUnitError(error.message, { cause: error });
  }
}
