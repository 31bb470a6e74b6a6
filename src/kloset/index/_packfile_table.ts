import { checkMac } from "./_location_table.ts";

const MAC_BYTES = 32;
const MAC_WORDS = MAC_BYTES / 4;

/** The packfile has a PACKFILE entry. */
export const KNOWN = 1;
/** The packfile is coloured: it is to be deleted, and its blobs must not be used. */
export const COLOURED = 2;
/** The packfile was removed, and with it every location that names this index. */
export const RETIRED = 4;
/** The packfile is missing or damaged, as far as this process has seen: this is not saved. */
export const DOUBTED = 8;

const SMALLEST = 256;

/** How many bytes one packfile takes in {@linkcode PackfileTable.toBytes}. */
const PACKFILE_BYTES = 8 + MAC_BYTES + 4 + 1;

/**
 * Packfile MACs as small numbers, so that a location needs four bytes to name its packfile.
 *
 * An index is never given to another packfile. A retired index keeps its row; the same MAC, met
 * again, gets a new one, which is how all locations of a removed packfile vanish at once.
 */
export class PackfileTable {
  #length = 0;
  #macWords = new Uint32Array(SMALLEST * MAC_WORDS);
  #macs: Uint8Array = new Uint8Array(this.#macWords.buffer);
  #timestamps = new BigUint64Array(SMALLEST);
  #locations = new Uint32Array(SMALLEST);
  #flags: Uint8Array = new Uint8Array(SMALLEST);
  #slots: Uint32Array = new Uint32Array(SMALLEST * 2);
  #last = -1;

  readonly #soughtWords = new Uint32Array(MAC_WORDS);
  readonly #soughtBytes = new Uint8Array(this.#soughtWords.buffer);
  #slot = 0;

  /** How many indexes are given out, retired ones included. */
  get length(): number {
    return this.#length;
  }

  /**
   * The index of a packfile, or -1. States list blobs of one packfile in runs: that is fast.
   *
   * @throws {RangeError} If the array ends before the MAC does.
   */
  lookup(mac: Uint8Array, macOffset: number): number {
    checkMac(mac, macOffset);
    const sought = this.#soughtBytes;
    for (let i = 0; i < MAC_BYTES; i++) sought[i] = mac[macOffset + i]!;
    if (this.#last >= 0 && this.#matches(this.#last)) return this.#last;
    const mask = this.#slots.length - 1;
    let slot = this.#soughtWords[0]! & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]! - 1;
      if (this.#matches(index)) {
        this.#last = index;
        return index;
      }
    }
    this.#slot = slot;
    return -1;
  }

  #matches(index: number): boolean {
    const base = index * MAC_WORDS;
    for (let word = 0; word < MAC_WORDS; word++) {
      if (this.#macWords[base + word] !== this.#soughtWords[word]) return false;
    }
    return (this.#flags[index]! & RETIRED) === 0; // a removed packfile may have come back
  }

  /** Gives the packfile that {@linkcode lookup} has just not found an index, with these flags. */
  append(flags: number): number {
    const index = this.#length;
    if (index === this.#flags.length) this.#reserve(index * 2);
    this.#macWords.set(this.#soughtWords, index * MAC_WORDS);
    this.#flags[index] = flags;
    this.#length++;
    this.#slots[this.#slot] = index + 1;
    this.#last = index;
    if (this.#length * 2 > this.#slots.length) this.#rebuildSlots();
    return index;
  }

  /** Combination of KNOWN, COLOURED, RETIRED and DOUBTED. */
  flagsOf(index: number): number {
    return this.#flags[index]!;
  }

  /** Replaces the flags of a packfile. */
  setFlags(index: number, flags: number): void {
    this.#flags[index] = flags;
    if ((flags & RETIRED) !== 0) this.#last = -1;
  }

  /** Time of the PACKFILE entry, in nanoseconds since 1970. */
  timestampOf(index: number): bigint {
    return this.#timestamps[index]!;
  }

  /** Sets the time of the PACKFILE entry, in nanoseconds since 1970. */
  setTimestamp(index: number, timestampNs: bigint): void {
    this.#timestamps[index] = timestampNs;
  }

  /** How many locations name this index. */
  locationsOf(index: number): number {
    return this.#locations[index]!;
  }

  /** Counts locations that name this index in or out. */
  countLocations(index: number, change: number): void {
    this.#locations[index]! += change;
  }

  /** The MAC of a packfile: a copy. */
  macOf(index: number): Uint8Array {
    return this.#macs.slice(index * MAC_BYTES, (index + 1) * MAC_BYTES);
  }

  #reserve(capacity: number): void {
    const macWords = new Uint32Array(capacity * MAC_WORDS);
    macWords.set(this.#macWords);
    this.#macWords = macWords;
    this.#macs = new Uint8Array(macWords.buffer);
    const timestamps = new BigUint64Array(capacity);
    timestamps.set(this.#timestamps);
    this.#timestamps = timestamps;
    const locations = new Uint32Array(capacity);
    locations.set(this.#locations);
    this.#locations = locations;
    const flags = new Uint8Array(capacity);
    flags.set(this.#flags);
    this.#flags = flags;
  }

  #rebuildSlots(): void {
    let size = this.#slots.length;
    while (this.#length * 3 > size) size *= 2;
    this.#slots = new Uint32Array(size);
    const mask = size - 1;
    for (let index = 0; index < this.#length; index++) {
      if ((this.#flags[index]! & RETIRED) !== 0) continue;
      let slot = this.#macWords[index * MAC_WORDS]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = index + 1;
    }
  }

  /**
   * Everything but doubts, as columns: timestamps, MACs, location counts, flags. In the machine's
   * byte order.
   */
  toBytes(): Uint8Array {
    const length = this.#length;
    const bytes = new Uint8Array(length * PACKFILE_BYTES);
    const { buffer } = bytes;
    new BigUint64Array(buffer, 0, length).set(this.#timestamps.subarray(0, length));
    bytes.set(this.#macs.subarray(0, length * MAC_BYTES), length * 8);
    new Uint32Array(buffer, length * 40, length).set(this.#locations.subarray(0, length));
    const flags = this.#flags.subarray(0, length).map((flags) => flags & ~DOUBTED);
    bytes.set(flags, length * 44);
    return bytes;
  }

  /**
   * The opposite of {@linkcode toBytes}.
   *
   * @throws {RangeError} If the bytes are not a whole number of packfiles.
   */
  static fromBytes(bytes: Uint8Array): PackfileTable {
    const length = bytes.length / PACKFILE_BYTES;
    if (!Number.isInteger(length)) {
      throw new RangeError(`Cannot use ${bytes.length} bytes of packfiles: the length is wrong`);
    }
    const { buffer } = bytes.slice();
    const table = new PackfileTable();
    table.#reserve(Math.max(SMALLEST, length));
    table.#length = length;
    table.#timestamps.set(new BigUint64Array(buffer, 0, length));
    table.#macs.set(new Uint8Array(buffer, length * 8, length * MAC_BYTES));
    table.#locations.set(new Uint32Array(buffer, length * 40, length));
    table.#flags.set(new Uint8Array(buffer, length * 44, length));
    table.#rebuildSlots();
    return table;
  }
}
