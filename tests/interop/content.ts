/**
 * Reproducible content: the same seed gives the same bytes on every machine.
 *
 * @module
 */

/** A generator of 32-bit numbers (xorshift128); never a source of secrets. */
export function generator(seed: number): () => number {
  let a = seed ^ 0x9e3779b9;
  let b = Math.imul(seed + 1, 0x85ebca6b) ^ 0xc2b2ae35;
  let c = 0x27d4eb2f;
  let d = 0x165667b1;
  return () => {
    const t = a ^ (a << 11);
    a = b;
    b = c;
    c = d;
    d = (d ^ (d >>> 19) ^ t ^ (t >>> 8)) | 0;
    return d >>> 0;
  };
}

/** Bytes that no compressor shrinks. */
export function randomBytes(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  const next = generator(seed);
  for (let i = 0; i < words.length; i++) words[i] = next();
  return new Uint8Array(words.buffer, 0, length);
}

const SYLLABLES = "ka lo set pla kar ne fo je pre fect gra ph no de ed ge ba ck up".split(" ");

/**
 * Text of random lines that compresses well.
 *
 * @param lines how many different lines there are: the fewer, the better it compresses
 */
export function prose(length: number, seed: number, lines = 64): Uint8Array {
  const next = generator(seed);
  const vocabulary = Array.from({ length: lines }, () => {
    const line = Array.from({ length: 12 + next() % 12 }, () => {
      const parts = Array.from({ length: 1 + next() % 4 }, () => SYLLABLES[next() % 18]);
      return parts.join("");
    });
    return new TextEncoder().encode(line.join(" ") + "\n");
  });
  const content = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const line = vocabulary[next() % lines] ?? new Uint8Array();
    content.set(line.subarray(0, length - filled), filled);
    filled += line.length;
  }
  return content;
}

/**
 * Content as a stream, made while it is read: no more than one part is in memory.
 *
 * @param parts how many parts of `partLength` bytes; each is random by its own seed
 */
export function randomStream(
  parts: number,
  partLength: number,
  seed: number,
): ReadableStream<Uint8Array> {
  let part = 0;
  return new ReadableStream({
    pull(controller) {
      if (part === parts) return controller.close();
      controller.enqueue(randomBytes(partLength, seed + part++));
    },
  });
}
