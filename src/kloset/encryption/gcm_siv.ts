import {
  CIPHER_BLOCK_BYTES,
  type Kernels,
  MAXIMUM_COUNTER_BLOCKS,
  type Region,
} from "../../kernels/mod.ts";
import { AES_KEY_BYTES, BlockEncryption } from "./_aes.ts";

/** Bytes of a nonce. */
export const NONCE_BYTES = 12;

/** Bytes of an authentication tag. */
export const TAG_BYTES = 16;

/** Bytes of a derived key that one block of the derivation gives. */
const DERIVED_PART_BYTES = 8;

const AUTHENTICATION_KEY_BYTES = 16;

/** Key stream that is made at a time. */
const STREAM_BYTES = MAXIMUM_COUNTER_BLOCKS * CIPHER_BLOCK_BYTES;

/** The keys that one nonce gives. */
class DerivedKeys implements Disposable {
  readonly authentication: Uint8Array;
  readonly cipher: BlockEncryption;

  constructor(keys: Uint8Array) {
    this.authentication = keys.subarray(0, AUTHENTICATION_KEY_BYTES);
    this.cipher = new BlockEncryption(keys.subarray(AUTHENTICATION_KEY_BYTES));
  }

  [Symbol.dispose](): void {
    this.cipher[Symbol.dispose]();
  }
}

/**
 * AES-256-GCM-SIV (RFC 8452) without additional data, on regions of the kernels' memory.
 *
 * A nonce that is used twice by mistake tells only whether both plaintexts are the same. To be
 * disposed of.
 */
export class GcmSiv implements Disposable {
  readonly #kernels: Kernels;
  readonly #derivation: BlockEncryption;

  /** @param key 32 bytes */
  constructor(kernels: Kernels, key: Uint8Array) {
    this.#kernels = kernels;
    this.#derivation = new BlockEncryption(key);
  }

  /**
   * Encrypts bytes `[start, end)` of a region to the same number of bytes of it from `at` on, which
   * is not after `start`.
   *
   * @param nonce 12 bytes
   * @returns the tag
   */
  encrypt(nonce: Uint8Array, data: Region, start: number, end: number, at: number): Uint8Array {
    using keys = this.#keys(nonce);
    const tag = this.#tag(keys, nonce, data, start, end);
    this.#applyStream(keys, tag, data, start, end, at);
    return tag;
  }

  /**
   * Decrypts bytes `[start, end)` of a region to the same number of bytes of it from `at` on, which
   * is not after `start`.
   *
   * @param nonce 12 bytes
   * @param tag 16 bytes
   * @returns whether this is what was encrypted; where it is not, zeros are left
   */
  decrypt(
    nonce: Uint8Array,
    tag: Uint8Array,
    data: Region,
    start: number,
    end: number,
    at: number,
  ): boolean {
    using keys = this.#keys(nonce);
    this.#applyStream(keys, tag, data, start, end, at);
    const plainEnd = at + end - start;
    const expected = this.#tag(keys, nonce, data, at, plainEnd);
    let difference = 0;
    for (let i = 0; i < TAG_BYTES; i++) difference |= expected[i]! ^ tag[i]!;
    if (difference !== 0) this.#kernels.bytes(data, at, plainEnd).fill(0);
    return difference === 0;
  }

  [Symbol.dispose](): void {
    this.#derivation[Symbol.dispose]();
  }

  #keys(nonce: Uint8Array): DerivedKeys {
    const parts = (AUTHENTICATION_KEY_BYTES + AES_KEY_BYTES) / DERIVED_PART_BYTES;
    const blocks = new Uint8Array(parts * CIPHER_BLOCK_BYTES);
    for (let part = 0; part < parts; part++) {
      blocks[part * CIPHER_BLOCK_BYTES] = part;
      blocks.set(nonce, part * CIPHER_BLOCK_BYTES + CIPHER_BLOCK_BYTES - NONCE_BYTES);
    }
    const encrypted = this.#derivation.apply(blocks);
    const keys = new Uint8Array(parts * DERIVED_PART_BYTES);
    for (let part = 0; part < parts; part++) {
      const from = part * CIPHER_BLOCK_BYTES;
      keys.set(encrypted.subarray(from, from + DERIVED_PART_BYTES), part * DERIVED_PART_BYTES);
    }
    return new DerivedKeys(keys);
  }

  #tag(
    { authentication, cipher }: DerivedKeys,
    nonce: Uint8Array,
    data: Region,
    start: number,
    end: number,
  ): Uint8Array {
    const lengths = new Uint8Array(CIPHER_BLOCK_BYTES);
    new DataView(lengths.buffer).setBigUint64(8, BigInt(end - start) * 8n, true);
    const hash = this.#kernels.polyval(authentication, data, start, end, lengths);
    for (let i = 0; i < NONCE_BYTES; i++) hash[i]! ^= nonce[i]!;
    hash[CIPHER_BLOCK_BYTES - 1]! &= 0x7f;
    return cipher.apply(hash);
  }

  #applyStream(
    { cipher }: DerivedKeys,
    tag: Uint8Array,
    data: Region,
    start: number,
    end: number,
    at: number,
  ): void {
    const initial = tag.slice();
    initial[CIPHER_BLOCK_BYTES - 1]! |= 0x80;
    for (let done = 0; done < end - start; done += STREAM_BYTES) {
      const from = start + done;
      const to = Math.min(from + STREAM_BYTES, end);
      const blocks = Math.ceil((to - from) / CIPHER_BLOCK_BYTES);
      const stream = cipher.apply(
        this.#kernels.counterBlocks(initial, done / CIPHER_BLOCK_BYTES, blocks),
      );
      this.#kernels.xor(data, from, to, stream, data, at + done);
    }
  }
}
