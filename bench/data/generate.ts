/**
 * Writes bytes to standard output that neither compress nor repeat, faster than they are stored:
 * the source of the benchmarks.
 *
 * ```sh
 * deno run bench/data/generate.ts <bytes> <seed> [<from> <to>]
 * ```
 *
 * The same size and seed give the same bytes, except for the pages that begin in [from, to).
 *
 * @module
 */

/** Random bytes that are sent again and again, each page of them marked with its number. */
const BASE_BYTES = 1 << 25;
const PAGE_BYTES = 1024;
const WRITE_BYTES = 1 << 18;

function randomBytes(byteLength: number, seed: number): Uint8Array {
  const words = new Uint32Array(byteLength / 4);
  let x = (seed * 0x9e3779b1 + 1) | 0;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  return new Uint8Array(words.buffer);
}

/**
 * Marks pages, so that no two chunks of the stream are equal although the base repeats.
 *
 * @param from first position of the pages that are marked differently
 * @param to position after them
 */
function mark(bytes: Uint8Array, position: number, from: number, to: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    const page = position + at;
    view.setFloat64(at, page >= from && page < to ? -1 - page : page);
  }
}

if (import.meta.main) {
  const [size = NaN, seed = NaN, from = 0, to = 0] = Deno.args.map(Number);
  if (!Number.isSafeInteger(size / PAGE_BYTES) || !Number.isSafeInteger(seed)) {
    throw new TypeError(
      `usage: generate.ts <bytes, a multiple of ${PAGE_BYTES}> <seed> [<from> <to>]`,
    );
  }
  const base = randomBytes(BASE_BYTES, seed);
  for (let position = 0; position < size; position += WRITE_BYTES) {
    const start = position % BASE_BYTES;
    const bytes = base.subarray(start, start + Math.min(WRITE_BYTES, size - position));
    mark(bytes, position, from, to);
    for (let written = 0; written < bytes.length;) {
      written += Deno.stdout.writeSync(bytes.subarray(written));
    }
  }
}
