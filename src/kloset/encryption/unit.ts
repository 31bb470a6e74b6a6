import { ToolError } from "../../errors/mod.ts";
import type { Kernels, Region } from "../../kernels/mod.ts";
import { AES_KEY_BYTES } from "./_aes.ts";
import { GcmSiv, NONCE_BYTES, TAG_BYTES } from "./gcm_siv.ts";
import { unwrapKey, WRAP_OVERHEAD_BYTES, wrapKey } from "./key_wrap.ts";

/** Bytes at the start of a unit: its own key, wrapped. */
const WRAPPED_KEY_BYTES = AES_KEY_BYTES + WRAP_OVERHEAD_BYTES;

const PIECE_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;

/** How a repository encrypts its units (format reference, section 4.4). */
export interface UnitEncryption {
  /** Wraps the units' keys; 32 bytes. */
  readonly key: Uint8Array;
  /** Plain bytes per piece. */
  readonly pieceBytes: number;
}

/** A unit that was not made with this key, or not as it is now. */
export class DecryptionError extends ToolError {}

/** Bytes that encryption adds to `length` bytes. */
export function encryptionOverhead(length: number, { pieceBytes }: UnitEncryption): number {
  return WRAPPED_KEY_BYTES + PIECE_OVERHEAD_BYTES * Math.ceil(length / pieceBytes);
}

/**
 * Encrypts bytes `[start, start + length)` of a region; the unit comes to lie at the region's
 * begin, over them. The unit is the wrapped key, then piece by piece: nonce, ciphertext, tag.
 *
 * @param start at least the {@linkcode encryptionOverhead}: what is written must stay behind what
 * is still to be read
 * @returns the unit's length
 * @throws {RangeError} `start` is less
 */
export function encryptUnit(
  kernels: Kernels,
  encryption: UnitEncryption,
  region: Region,
  start: number,
  length: number,
): number {
  const overhead = encryptionOverhead(length, encryption);
  if (start < overhead) {
    throw new RangeError(`Cannot encrypt: ${overhead} bytes before the data are needed`);
  }
  const key = crypto.getRandomValues(new Uint8Array(AES_KEY_BYTES));
  using cipher = new GcmSiv(kernels, key);
  kernels.bytes(region).set(wrapKey(encryption.key, key));
  const nonce = new Uint8Array(NONCE_BYTES);
  let to = WRAPPED_KEY_BYTES;
  for (let from = start; from < start + length; from += encryption.pieceBytes) {
    const end = Math.min(from + encryption.pieceBytes, start + length);
    crypto.getRandomValues(nonce);
    const tag = cipher.encrypt(nonce, region, from, end, to + NONCE_BYTES);
    kernels.bytes(region, to).set(nonce);
    to += NONCE_BYTES + end - from;
    kernels.bytes(region, to).set(tag);
    to += TAG_BYTES;
  }
  return to;
}

/**
 * Decrypts the unit in bytes `[start, end)` of a region; what it holds comes to lie from `start` on.
 *
 * The order of its pieces, and that none is missing at the end, is for the caller to verify.
 *
 * @returns the content's length
 * @throws {DecryptionError} the unit is damaged, or of another key; its bytes are lost then
 */
export function decryptUnit(
  kernels: Kernels,
  encryption: UnitEncryption,
  region: Region,
  start: number,
  end: number,
): number {
  const pieces = start + WRAPPED_KEY_BYTES;
  if (end < pieces) throw new DecryptionError(`${end - start} bytes are too few for a key`);
  const key = unwrapKey(encryption.key, kernels.bytes(region, start, pieces).slice());
  if (key === undefined) {
    throw new DecryptionError("its key is damaged, or wrapped with another one");
  }
  using cipher = new GcmSiv(kernels, key);
  let to = start;
  let from = pieces;
  while (from < end) {
    const textStart = from + NONCE_BYTES;
    const next = Math.min(textStart + encryption.pieceBytes + TAG_BYTES, end);
    const textEnd = next - TAG_BYTES;
    if (textEnd <= textStart) throw new DecryptionError("its last piece is cut");
    const nonce = kernels.bytes(region, from, textStart).slice();
    const tag = kernels.bytes(region, textEnd, next).slice();
    if (!cipher.decrypt(nonce, tag, region, textStart, textEnd, to)) {
      throw new DecryptionError("a piece does not match its authentication tag");
    }
    to += textEnd - textStart;
    from = next;
  }
  return to - start;
}
