/**
 * Damage for decoders: every truncation, and bits flipped at random from a seed that failures
 * print.
 *
 * @module
 */

import { assert } from "@std/assert";

/** Every proper prefix of the bytes, the empty one included. */
export function* truncations(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length++) yield bytes.slice(0, length);
}

/** The bytes with every single bit flipped, one at a time. */
export function* singleBitFlips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) yield flipped(bytes, [bit]);
}

/** Copies of the bytes with 1 to 8 bits flipped at random; the same seed gives the same copies. */
export function* randomBitFlips(
  bytes: Uint8Array,
  count: number,
  seed: number,
): Generator<Uint8Array> {
  const random = randomNumbers(seed);
  for (let i = 0; i < count && bytes.length > 0; i++) {
    const flips = 1 + Math.floor(random() * 8);
    yield flipped(
      bytes,
      Array.from({ length: flips }, () => Math.floor(random() * 8 * bytes.length)),
    );
  }
}

/**
 * Copies with 1 to 5 bytes in a row replaced by random ones, mostly large: announced lengths become
 * huge.
 */
export function* randomByteRuns(
  bytes: Uint8Array,
  count: number,
  seed: number,
): Generator<Uint8Array> {
  const random = randomNumbers(seed);
  for (let i = 0; i < count && bytes.length > 0; i++) {
    const copy = bytes.slice();
    const start = Math.floor(random() * bytes.length);
    const end = Math.min(bytes.length, start + 1 + Math.floor(random() * 5));
    for (let at = start; at < end; at++) copy[at] = random() < 0.5 ? 0xff : random() * 256;
    yield copy;
  }
}

/** A seed to use once and to print. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

/** The class of errors that a decoder may throw. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** Options of {@linkcode assertFailsCleanly}. */
export interface FailsCleanlyOptions {
  /** Copies per kind of random damage. @default 2000 */
  readonly count?: number;
  /** @default a fresh one */
  readonly seed?: number;
  /** Whether a proper prefix must fail. @default true */
  readonly truncationsFail?: boolean;
}

/**
 * Damages valid bytes in every way above. The decoder may return a value or throw the error class,
 * nothing else; and it must refuse every truncation.
 */
export function assertFailsCleanly(
  valid: Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
  errorClass: ErrorClass,
  options: FailsCleanlyOptions = {},
): void {
  const { count = 2000, seed = randomSeed(), truncationsFail = true } = options;
  for (const bytes of truncations(valid)) {
    const failed = !survives(bytes, decode, errorClass, `cut to ${bytes.length} bytes`);
    assert(failed || !truncationsFail, `decoded a file cut to ${bytes.length} bytes`);
  }
  const damages = [
    valid.length <= 512 ? singleBitFlips(valid) : [],
    randomBitFlips(valid, count, seed),
    randomByteRuns(valid, count, seed),
  ];
  for (const damage of damages) {
    for (const bytes of damage) survives(bytes, decode, errorClass, `seed ${seed}`);
  }
}

/** Whether the bytes decode; anything thrown but the error class fails the test. */
function survives(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
  errorClass: ErrorClass,
  context: string,
): boolean {
  try {
    decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof errorClass) return false;
    throw new Error(`Unexpected error (${context})`, { cause: error });
  }
}

function flipped(bytes: Uint8Array, bits: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  for (const bit of bits) copy[bit >>> 3] = (copy[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** Mulberry32: numbers in [0, 1), the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
