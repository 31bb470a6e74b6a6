import { BlockDecryption, BlockEncryption } from "./_aes.ts";

/** Bytes that wrapping adds to a key. */
export const WRAP_OVERHEAD_BYTES = 8;

const HALF_BLOCK_BYTES = 8;
const ROUNDS = 6;

/** What an unwrapped key must come with: the "default initial value" of RFC 3394. */
const INTEGRITY_CHECK = 0xa6;

/**
 * Wraps a key: AES key wrap of RFC 3394 with AES-256.
 *
 * @param wrappingKey 32 bytes
 * @param key a multiple of 8 bytes, at least 16
 * @returns 8 bytes more than the key has
 */
export function wrapKey(wrappingKey: Uint8Array, key: Uint8Array): Uint8Array {
  using aes = new BlockEncryption(wrappingKey);
  const wrapped = new Uint8Array(WRAP_OVERHEAD_BYTES + key.length);
  wrapped.fill(INTEGRITY_CHECK, 0, HALF_BLOCK_BYTES);
  wrapped.set(key, HALF_BLOCK_BYTES);
  const block = new Uint8Array(2 * HALF_BLOCK_BYTES);
  let step = 1;
  for (let round = 0; round < ROUNDS; round++) {
    for (let at = HALF_BLOCK_BYTES; at < wrapped.length; at += HALF_BLOCK_BYTES) {
      block.set(wrapped.subarray(0, HALF_BLOCK_BYTES));
      block.set(wrapped.subarray(at, at + HALF_BLOCK_BYTES), HALF_BLOCK_BYTES);
      const encrypted = aes.apply(block);
      addStep(encrypted, step++);
      wrapped.set(encrypted.subarray(0, HALF_BLOCK_BYTES));
      wrapped.set(encrypted.subarray(HALF_BLOCK_BYTES), at);
    }
  }
  return wrapped;
}

/**
 * Unwraps what {@linkcode wrapKey} has wrapped.
 *
 * @returns the key; undefined when it was wrapped with another key, or is damaged
 */
export function unwrapKey(wrappingKey: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined {
  using aes = new BlockDecryption(wrappingKey);
  const unwrapped = wrapped.slice();
  const block = new Uint8Array(2 * HALF_BLOCK_BYTES);
  let step = ROUNDS * (wrapped.length / HALF_BLOCK_BYTES - 1);
  for (let round = 0; round < ROUNDS; round++) {
    for (let at = wrapped.length - HALF_BLOCK_BYTES; at > 0; at -= HALF_BLOCK_BYTES) {
      block.set(unwrapped.subarray(0, HALF_BLOCK_BYTES));
      addStep(block, step--);
      block.set(unwrapped.subarray(at, at + HALF_BLOCK_BYTES), HALF_BLOCK_BYTES);
      const decrypted = aes.apply(block);
      unwrapped.set(decrypted.subarray(0, HALF_BLOCK_BYTES));
      unwrapped.set(decrypted.subarray(HALF_BLOCK_BYTES), at);
    }
  }
  let difference = 0;
  for (const byte of unwrapped.subarray(0, HALF_BLOCK_BYTES)) difference |= byte ^ INTEGRITY_CHECK;
  return difference === 0 ? unwrapped.slice(HALF_BLOCK_BYTES) : undefined;
}

/** Exclusive or of the first half block and the number of a step, big endian; few suffice here. */
function addStep(block: Uint8Array, step: number): void {
  block[HALF_BLOCK_BYTES - 1]! ^= step & 0xff;
  block[HALF_BLOCK_BYTES - 2]! ^= step >> 8;
}
