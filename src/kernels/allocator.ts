import type { Region } from "./region.ts";

/** Regions start at multiples of this, and take up multiples of it. */
export const ALIGNMENT_BYTES = 64;

interface Span {
  readonly offset: number;
  readonly size: number;
  /** Rises with every `free`. */
  readonly freed: number;
}

/**
 * Hands out regions of a memory that can grow.
 *
 * A freed region is reused as it is, the most recently freed first: the pages it stands on are
 * resident and warm. Neighbours are joined only when nothing fits otherwise.
 */
export class Allocator {
  readonly #grow: (end: number) => number;
  #end: number;
  #free: Span[] = [];
  readonly #used = new Map<number, { length: number; size: number }>();
  #frees = 0;

  /**
   * @param start First byte to hand out; a multiple of {@linkcode ALIGNMENT_BYTES}.
   * @param end First byte after those that exist now.
   * @param grow Makes the memory reach at least to the byte offset it is given, and returns the
   * new end. Throws `RangeError` when it cannot; the allocator is then as before.
   */
  constructor(start: number, end: number, grow: (end: number) => number) {
    this.#grow = grow;
    this.#end = end;
    if (end > start) this.#free.push({ offset: start, size: end - start, freed: 0 });
  }

  /**
   * Takes a region of `byteLength` bytes, whose content is whatever was there.
   *
   * @throws {RangeError} When the length is no whole number of bytes, or the memory cannot grow.
   */
  allocate(byteLength: number): Region {
    if (!Number.isSafeInteger(byteLength) || byteLength < 0) {
      throw new RangeError(`Cannot allocate ${byteLength} bytes: not a length`);
    }
    const size = Math.max(1, Math.ceil(byteLength / ALIGNMENT_BYTES)) * ALIGNMENT_BYTES;
    let offset = this.#take(size);
    if (offset === undefined) {
      this.#join();
      offset = this.#take(size) ?? this.#extend(size);
    }
    this.#used.set(offset, { length: byteLength, size });
    return { offset, length: byteLength };
  }

  /**
   * Gives a region back.
   *
   * @throws {RangeError} When it is not allocated: freed before, or not from this allocator.
   */
  free(region: Region): void {
    const used = this.#used.get(region.offset);
    if (used === undefined || used.length !== region.length) {
      throw new RangeError(
        `Cannot free ${region.length} bytes at ${region.offset}: not an allocated region`,
      );
    }
    this.#used.delete(region.offset);
    this.#frees += 1;
    this.#free.push({ offset: region.offset, size: used.size, freed: this.#frees });
  }

  // The latest freed span of just this size, else the smallest that is large enough.
  #take(size: number): number | undefined {
    let best = -1;
    let bestSize = Infinity;
    for (let index = this.#free.length - 1; index >= 0; index -= 1) {
      const span = this.#free[index]!;
      if (span.size < size || span.size >= bestSize) continue;
      best = index;
      bestSize = span.size;
      if (span.size === size) break;
    }
    if (best < 0) return undefined;
    const span = this.#free[best]!;
    if (span.size === size) {
      this.#free.splice(best, 1);
    } else {
      this.#free[best] = {
        offset: span.offset + size,
        size: span.size - size,
        freed: span.freed,
      };
    }
    return span.offset;
  }

  // Joins free neighbours.
  #join(): void {
    const joined: Span[] = [];
    for (const span of this.#free.toSorted((a, b) => a.offset - b.offset)) {
      const before = joined.at(-1);
      if (before !== undefined && before.offset + before.size === span.offset) {
        joined[joined.length - 1] = {
          offset: before.offset,
          size: before.size + span.size,
          freed: Math.max(before.freed, span.freed),
        };
      } else {
        joined.push(span);
      }
    }
    this.#free = joined.sort((a, b) => a.freed - b.freed);
  }

  // Grows the memory until `size` bytes fit at its end, and takes them. Free spans are joined.
  #extend(size: number): number {
    const tail = this.#free.find((span) => span.offset + span.size === this.#end);
    const offset = tail?.offset ?? this.#end;
    const end = this.#grow(offset + size);
    this.#end = end;
    if (tail !== undefined) this.#free.splice(this.#free.indexOf(tail), 1);
    if (end > offset + size) {
      this.#free.unshift({ offset: offset + size, size: end - offset - size, freed: 0 });
    }
    return offset;
  }
}
