import { createCipheriv, createDecipheriv } from "node:crypto";

/** Bytes of a key of AES-256. */
export const AES_KEY_BYTES = 32;

const BLOCK_BYTES = 16;

// ECB takes none; Deno 2.4 does not accept null for that.
const NO_INITIAL_VECTOR = new Uint8Array(0);

/**
 * The block function of AES-256, for whole blocks, each by itself. To be disposed of: Deno 2.4 keeps
 * what is behind it until then.
 */
export class BlockEncryption implements Disposable {
  readonly #cipher: ReturnType<typeof createCipheriv>;

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv("aes-256-ecb", key, NO_INITIAL_VECTOR);
    this.#cipher.setAutoPadding(false);
  }

  /** The blocks' images, as many. */
  apply(blocks: Uint8Array): Uint8Array {
    // A plain view: methods of Node's buffers differ from those of `Uint8Array`.
    const { buffer, byteOffset, byteLength } = this.#cipher.update(blocks);
    return new Uint8Array(buffer, byteOffset, byteLength);
  }

  [Symbol.dispose](): void {
    this.#cipher.final();
  }
}

/** The inverse of {@linkcode BlockEncryption}, for one block at a time. To be disposed of. */
export class BlockDecryption implements Disposable {
  // CBC, for Deno 2.4 crashes when an ECB decipher is ended. CBC adds the block before, which is
  // taken away again.
  readonly #decipher: ReturnType<typeof createDecipheriv>;
  readonly #previous = new Uint8Array(BLOCK_BYTES);

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#decipher = createDecipheriv("aes-256-cbc", key, this.#previous);
    this.#decipher.setAutoPadding(false);
  }

  /** The block's preimage. */
  apply(block: Uint8Array): Uint8Array {
    const plain = Uint8Array.from(
      this.#decipher.update(block),
      (byte, i) => byte ^ this.#previous[i]!,
    );
    this.#previous.set(block);
    return plain;
  }

  [Symbol.dispose](): void {
    this.#decipher.final();
  }
}
