import type { Region } from "./region.ts";

/** Regions start at multiples of this, and take up multiples of it. */
export const ALIGNMENT_BYTES = 64;

interface Span {
  readonly offset: number;
  readonly size: number;
}

/**
 * Hands out regions of a memory that can grow: the first place that is large enough. What is used
 * again and again stays together at the low end, where the pages are resident and warm, and a
 * program that runs longer does not touch more of them.
 */
export class Allocator {
  readonly #grow: (end: number) => number;
  #end: number;
  /** By offset; neighbours are joined. */
  readonly #free: Span[] = [];
  readonly #used = new Map<number, { length: number; size: number }>();

  /**
   * @param start First byte to hand out; a multiple of {@linkcode ALIGNMENT_BYTES}.
   * @param end First byte after those that exist now.
   * @param grow Makes the memory reach at least to the byte offset it is given, and returns the
   * new end. Throws `RangeError` when it cannot; the allocator is then as before.
   */
  constructor(start: number, end: number, grow: (end: number) => number) {
    this.#grow = grow;
    this.#end = end;
    if (end > start) this.#free.push({ offset: start, size: end - start });
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
    const size = sizeFor(byteLength);
    let index = this.#free.findIndex((span) => span.size >= size);
    if (index < 0) index = this.#extend(size);
    const { offset, size: available } = this.#free[index]!;
    const rest = { offset: offset + size, size: available - size };
    this.#free.splice(index, 1, ...(rest.size > 0 ? [rest] : []));
    this.#used.set(offset, { length: byteLength, size });
    return { offset, length: byteLength };
  }

  /**
   * Keeps the first `byteLength` bytes of a region and gives the others back.
   *
   * @returns the region that stands for the bytes that were kept; the old one is no longer valid
   * @throws {RangeError} When the region is not allocated, or has fewer bytes.
   */
  shrink(region: Region, byteLength: number): Region {
    const used = this.#usedBy(region);
    if (!Number.isSafeInteger(byteLength) || byteLength < 0 || byteLength > region.length) {
      throw new RangeError(`Cannot shrink ${region.length} bytes to ${byteLength}`);
    }
    const size = sizeFor(byteLength);
    this.#used.set(region.offset, { length: byteLength, size });
    if (size < used.size) this.#putBack({ offset: region.offset + size, size: used.size - size });
    return { offset: region.offset, length: byteLength };
  }

  /**
   * Gives a region back.
   *
   * @throws {RangeError} When it is not allocated: freed before, or not from this allocator.
   */
  free(region: Region): void {
    const { size } = this.#usedBy(region);
    this.#used.delete(region.offset);
    this.#putBack({ offset: region.offset, size });
  }

  #usedBy(region: Region): { length: number; size: number } {
    const used = this.#used.get(region.offset);
    if (used === undefined || used.length !== region.length) {
      throw new RangeError(
        `Cannot free ${region.length} bytes at ${region.offset}: not an allocated region`,
      );
    }
    return used;
  }

  /** Adds a free span, joined with its neighbours. */
  #putBack({ offset, size }: Span): void {
    let index = this.#free.findIndex((span) => span.offset > offset);
    if (index < 0) index = this.#free.length;
    const before = this.#free[index - 1];
    const after = this.#free[index];
    const joinsBefore = before !== undefined && before.offset + before.size === offset;
    const joinsAfter = after !== undefined && offset + size === after.offset;
    const start = joinsBefore ? before.offset : offset;
    const end = joinsAfter ? after.offset + after.size : offset + size;
    this.#free.splice(
      joinsBefore ? index - 1 : index,
      Number(joinsBefore) + Number(joinsAfter),
      { offset: start, size: end - start },
    );
  }

  /** Grows the memory until its end has `size` free bytes; returns the index of that span. */
  #extend(size: number): number {
    const last = this.#free.at(-1);
    const offset = last !== undefined && last.offset + last.size === this.#end
      ? last.offset
      : this.#end;
    const before = this.#end;
    this.#end = this.#grow(offset + size);
    this.#putBack({ offset: before, size: this.#end - before });
    return this.#free.length - 1;
  }
}

/** Bytes that a region of a length takes up. */
function sizeFor(byteLength: number): number {
  return Math.max(1, Math.ceil(byteLength / ALIGNMENT_BYTES)) * ALIGNMENT_BYTES;
}
