/** How many bytes one location takes in a page, in memory and in the cache. */
export const LOCATION_BYTES = 8 + 32 + 4 + 4 + 1;

const MAC_BYTES = 32;
const MAC_WORDS = MAC_BYTES / 4;

/** @throws {RangeError} If the array ends before the MAC at this offset does. */
export function checkMac(mac: Uint8Array, macOffset: number): void {
  if (!(macOffset >= 0 && macOffset + MAC_BYTES <= mac.length)) {
    throw new RangeError(`Cannot read a MAC at ${macOffset}: the array has ${mac.length} bytes`);
  }
}

/** The type of a removed location. No resource type has this number. */
const REMOVED = 0;

/** Above this share of used slots, probe sequences grow long and the table doubles. */
const MAXIMUM_LOAD = 0.7;

const SMALLEST_TABLE = 1024;

/**
 * Columns of a fixed number of locations in one buffer, widest first so that each is aligned:
 *
 * | column | bytes per location |
 * | --- | --- |
 * | offset, f64 (exact up to 2^53) | 8 |
 * | MAC | 32 |
 * | packfile index, u32 | 4 |
 * | length, u32 | 4 |
 * | type, u8 | 1 |
 *
 * The byte order is the machine's: pages never leave it.
 */
class Page {
  readonly buffer: Uint8Array;
  readonly offsets: Float64Array;
  readonly macs: Uint8Array;
  readonly macWords: Uint32Array;
  readonly packfiles: Uint32Array;
  readonly lengths: Uint32Array;
  readonly types: Uint8Array;

  constructor(bytes: Uint8Array, entries: number) {
    // A column needs an aligned start, which a view into a larger buffer need not have.
    const { buffer, byteOffset } = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
    this.buffer = new Uint8Array(buffer, byteOffset, entries * LOCATION_BYTES);
    this.offsets = new Float64Array(buffer, byteOffset, entries);
    this.macs = new Uint8Array(buffer, byteOffset + entries * 8, entries * MAC_BYTES);
    this.macWords = new Uint32Array(buffer, byteOffset + entries * 8, entries * MAC_WORDS);
    this.packfiles = new Uint32Array(buffer, byteOffset + entries * 40, entries);
    this.lengths = new Uint32Array(buffer, byteOffset + entries * 44, entries);
    this.types = new Uint8Array(buffer, byteOffset + entries * 48, entries);
  }

  static empty(entries: number): Page {
    return new Page(new Uint8Array(entries * LOCATION_BYTES), entries);
  }

  copyFrom(source: Page, entries: number): void {
    this.offsets.set(source.offsets.subarray(0, entries));
    this.macs.set(source.macs.subarray(0, entries * MAC_BYTES));
    this.packfiles.set(source.packfiles.subarray(0, entries));
    this.lengths.set(source.lengths.subarray(0, entries));
    this.types.set(source.types.subarray(0, entries));
  }
}

/**
 * Locations in pages of typed arrays, found through an open-addressing hash table.
 *
 * A location is named by its entry number, counted in order of insertion. Several locations may
 * have the same (type, MAC): {@linkcode seek} and {@linkcode next} visit them in that order.
 * Removal leaves the entry in place, so that neither numbers nor probe sequences change.
 */
export class LocationTable {
  readonly #pageShift: number;
  readonly #pageMask: number;
  #pages: Page[] = [];
  #dirty = new Set<number>();
  #entries = 0;
  #slots: Uint32Array = new Uint32Array(SMALLEST_TABLE);

  // The search under way: what is sought, and the slot where it stands.
  readonly #soughtWords = new Uint32Array(MAC_WORDS);
  readonly #soughtBytes = new Uint8Array(this.#soughtWords.buffer);
  #soughtType = REMOVED;
  #slot = 0;

  /** @param pageShift Base-two logarithm of the number of locations in a page. */
  constructor(pageShift: number) {
    this.#pageShift = pageShift;
    this.#pageMask = (1 << pageShift) - 1;
  }

  /** How many entries there are, removed ones included. */
  get entries(): number {
    return this.#entries;
  }

  /** How many pages hold them. */
  get pageCount(): number {
    return this.#pages.length;
  }

  /**
   * The first entry of a (type, MAC), or -1.
   *
   * @throws {RangeError} If the array ends before the MAC does.
   */
  seek(type: number, mac: Uint8Array, macOffset: number): number {
    checkMac(mac, macOffset);
    const sought = this.#soughtBytes;
    for (let i = 0; i < MAC_BYTES; i++) sought[i] = mac[macOffset + i]!;
    this.#soughtType = type;
    this.#slot = this.#soughtWords[0]! & (this.#slots.length - 1);
    return this.#match();
  }

  /** The next entry of what {@linkcode seek} looked for, or -1. */
  next(): number {
    this.#slot = (this.#slot + 1) & (this.#slots.length - 1);
    return this.#match();
  }

  #match(): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const sought = this.#soughtWords;
    const first = sought[0];
    for (let slot = this.#slot;; slot = (slot + 1) & mask) {
      const entry = slots[slot]! - 1;
      if (entry === -1) {
        this.#slot = slot;
        return -1;
      }
      const page = this.#pages[entry >>> this.#pageShift]!;
      const row = entry & this.#pageMask;
      const words = page.macWords;
      const base = row * MAC_WORDS;
      if (words[base] !== first || page.types[row] !== this.#soughtType) continue;
      let word = 1;
      while (word < MAC_WORDS && words[base + word] === sought[word]) word++;
      if (word === MAC_WORDS) {
        this.#slot = slot;
        return entry;
      }
    }
  }

  /** Adds a location of what was sought, after the search has ended with -1. */
  append(packfile: number, offset: number, length: number): void {
    const entry = this.#entries;
    const number = entry >>> this.#pageShift;
    const row = entry & this.#pageMask;
    if (row === 0) this.#pages.push(Page.empty(this.#pageMask + 1));
    const page = this.#pages[number]!;
    page.macWords.set(this.#soughtWords, row * MAC_WORDS);
    page.types[row] = this.#soughtType;
    page.packfiles[row] = packfile;
    page.offsets[row] = offset;
    page.lengths[row] = length;
    this.#dirty.add(number);
    this.#slots[this.#slot] = entry + 1;
    this.#entries++;
    if (this.#entries > this.#slots.length * MAXIMUM_LOAD) this.#rebuildSlots();
  }

  /** Removes an entry: no search finds it any more. */
  remove(entry: number): void {
    const number = entry >>> this.#pageShift;
    this.#pages[number]!.types[entry & this.#pageMask] = REMOVED;
    this.#dirty.add(number);
  }

  /** The resource type of an entry, 0 when removed. */
  typeOf(entry: number): number {
    return this.#pages[entry >>> this.#pageShift]!.types[entry & this.#pageMask]!;
  }

  /** The packfile index of an entry. */
  packfileOf(entry: number): number {
    return this.#pages[entry >>> this.#pageShift]!.packfiles[entry & this.#pageMask]!;
  }

  /** The offset of an entry in its packfile's body, in bytes. */
  offsetOf(entry: number): number {
    return this.#pages[entry >>> this.#pageShift]!.offsets[entry & this.#pageMask]!;
  }

  /** The encoded length of an entry, in bytes. */
  lengthOf(entry: number): number {
    return this.#pages[entry >>> this.#pageShift]!.lengths[entry & this.#pageMask]!;
  }

  /** The MAC of an entry: a view, not a copy. */
  macOf(entry: number): Uint8Array {
    const start = (entry & this.#pageMask) * MAC_BYTES;
    return this.#pages[entry >>> this.#pageShift]!.macs.subarray(start, start + MAC_BYTES);
  }

  /** Numbers of the pages changed since {@linkcode markClean}, in no order. */
  get dirtyPages(): ReadonlySet<number> {
    return this.#dirty;
  }

  /** Says that all pages are saved. */
  markClean(): void {
    this.#dirty.clear();
  }

  /** The bytes of a page: its columns, cut to the entries in use. Valid until the next change. */
  pageBytes(number: number): Uint8Array {
    const page = this.#pages[number]!;
    const entries = this.#entries - (number << this.#pageShift);
    if (entries > this.#pageMask) return page.buffer;
    const packed = Page.empty(entries);
    packed.copyFrom(page, entries);
    return packed.buffer;
  }

  /**
   * Takes over saved pages, in order, which the table then owns.
   *
   * @throws {RangeError} If a page is not a whole number of locations, or one that is not the last
   * is not full.
   */
  static fromPages(pageShift: number, pages: Iterable<Uint8Array>): LocationTable {
    const table = new LocationTable(pageShift);
    const capacity = 1 << pageShift;
    for (const bytes of pages) {
      const entries = bytes.length / LOCATION_BYTES;
      if (
        !Number.isInteger(entries) || entries === 0 || entries > capacity ||
        table.#entries !== table.#pages.length * capacity
      ) {
        throw new RangeError(`Cannot use a page of ${bytes.length} bytes: its length is wrong`);
      }
      let page = new Page(bytes, entries);
      if (entries < capacity) {
        const whole = Page.empty(capacity);
        whole.copyFrom(page, entries);
        page = whole;
      }
      table.#pages.push(page);
      table.#entries += entries;
    }
    table.#rebuildSlots();
    return table;
  }

  #rebuildSlots(): void {
    let size = this.#slots.length;
    while (this.#entries > size * MAXIMUM_LOAD) size *= 2;
    this.#slots = new Uint32Array(size);
    const slots = this.#slots;
    const mask = size - 1;
    const capacity = this.#pageMask + 1;
    let entry = 0;
    for (const page of this.#pages) {
      const rows = Math.min(capacity, this.#entries - entry);
      for (let row = 0; row < rows; row++) {
        entry++;
        if (page.types[row] === REMOVED) continue;
        let slot = page.macWords[row * MAC_WORDS]! & mask;
        while (slots[slot] !== 0) slot = (slot + 1) & mask;
        slots[slot] = entry;
      }
    }
  }
}
