import { type Mac, MAC_BYTES, macToHex, ResourceType } from "../format/mod.ts";
import { checkMac, LOCATION_BYTES, LocationTable } from "./_location_table.ts";
import { COLOURED, DOUBTED, KNOWN, PackfileTable, RETIRED } from "./_packfile_table.ts";

const COLOUR_BYTES = 8 + MAC_BYTES + 1;

// 16 Ki locations are 784 KiB: the smallest amount that saving one more blob rewrites.
const PAGE_SHIFT = 14;
const SNAPSHOT_PAGE_SHIFT = 8;

/** Removed locations are worth a rewrite when they are more than this and a third of all. */
const COMPACT_ABOVE = 1 << PAGE_SHIFT;

/** Where the encoded bytes of a blob are. */
export interface BlobLocation {
  /** MAC of the packfile. */
  readonly packfile: Mac;
  /** Bytes between the start of the packfile's body and the blob. */
  readonly offset: number;
  /** Length of the encoded blob, in bytes. */
  readonly length: number;
}

/** All of a {@linkcode BlobIndex} but its pages: small, and enough to list snapshots. */
export interface BlobIndexSummary {
  /** Packfiles, as one opaque block. */
  readonly packfiles: Uint8Array;
  /** Colours, as one opaque block. */
  readonly colours: Uint8Array;
  /** Locations of snapshot headers, as one opaque block. */
  readonly snapshots: Uint8Array;
}

/**
 * The merged view of all states: which blob is where, which packfiles exist, what is coloured.
 *
 * Entries are inserted in the order in which states are merged; inserting what is there already
 * changes nothing. A location can be used when its packfile has a PACKFILE entry and is not
 * coloured; of several, the one inserted first is used. A packfile that turned out to be missing or
 * damaged is {@linkcode doubt}ed from then on: its blobs count as not stored, and are looked for
 * there only after every other place.
 *
 * It is made for ten millions of blobs: locations are rows of typed arrays in pages, MACs are
 * their own hashes. An index restored with {@linkcode BlobIndex.fromSummary} is not
 * {@linkcode complete}: it knows packfiles, colours and snapshots, and it takes entries about
 * these; every method that needs another location throws until
 * {@linkcode attachPages} was called.
 *
 * MACs are 32 bytes everywhere. Timestamps are nanoseconds since 1970.
 */
export class BlobIndex {
  #packfiles = new PackfileTable();
  #packfileCount = 0;
  #locationCount = 0;
  #hasDoubts = false;
  // Few: one per removed snapshot, and per packfile that waits for its sweep.
  #colours = new Map<string, bigint>();
  #snapshots = new LocationTable(SNAPSHOT_PAGE_SHIFT);
  #blobs: LocationTable | undefined = new LocationTable(PAGE_SHIFT);

  /** Whether all locations are at hand, not only those of snapshots. */
  get complete(): boolean {
    return this.#blobs !== undefined;
  }

  /** How many locations there are, usable or not. */
  get locationCount(): number {
    return this.#locationCount;
  }

  /** How many packfiles have a PACKFILE entry, coloured or not. */
  get packfileCount(): number {
    return this.#packfileCount;
  }

  /**
   * Adds a location, as a LOCATIONS entry does. MACs are read in place from larger arrays.
   *
   * @param offset Bytes between the start of the packfile's body and the blob.
   * @param length Length of the encoded blob, in bytes, below 2^32.
   * @throws {RangeError} If the type is not between 1 and 255, or the offset is not a safe integer,
   * or the length is not a u32: no packfile can hold that.
   */
  addLocation(
    type: number,
    mac: Uint8Array,
    macOffset: number,
    packfileMac: Uint8Array,
    packfileMacOffset: number,
    offset: number,
    length: number,
  ): void {
    if (type === 0 || (type & 0xff) !== type) {
      throw new RangeError(`Cannot index resource type ${type}`);
    }
    if (!(Number.isSafeInteger(offset) && offset >= 0 && (length >>> 0) === length)) {
      throw new RangeError(`Cannot index a blob of ${length} bytes at offset ${offset}`);
    }
    const packfile = this.#intern(packfileMac, packfileMacOffset);
    const table = this.#table(type);
    let entry = table.seek(type, mac, macOffset);
    while (entry !== -1) {
      if (table.packfileOf(entry) === packfile) return;
      entry = table.next();
    }
    table.append(packfile, offset, length);
    this.#packfiles.countLocations(packfile, 1);
    this.#locationCount++;
  }

  /** Adds a packfile, as a PACKFILE entry does. A packfile that is known keeps its timestamp. */
  addPackfile(mac: Mac, timestampNs: bigint): void {
    const packfile = this.#intern(mac, 0);
    const flags = this.#packfiles.flagsOf(packfile);
    if ((flags & KNOWN) !== 0) return;
    this.#packfiles.setFlags(packfile, flags | KNOWN);
    this.#packfiles.setTimestamp(packfile, timestampNs);
    this.#packfileCount++;
  }

  /** Colours a resource, as a COLOURED entry does. What is coloured keeps its first date. */
  colour(type: number, mac: Mac, whenNs: bigint): void {
    const key = colourKey(type, mac, 0);
    if (this.#colours.has(key)) return;
    this.#colours.set(key, whenNs);
    if (type === ResourceType.PACKFILE) this.#changePackfileColour(mac, COLOURED);
  }

  /** Removes a colour, as a DELETE entry for COLOURED does. */
  uncolour(type: number, mac: Mac): void {
    if (!this.#colours.delete(colourKey(type, mac, 0))) return;
    if (type === ResourceType.PACKFILE) this.#changePackfileColour(mac, 0);
  }

  /** Removes one location, as a DELETE entry for LOCATIONS does. */
  deleteLocation(type: number, mac: Mac, packfileMac: Mac): void {
    const packfile = this.#packfiles.lookup(packfileMac, 0);
    if (packfile === -1) return;
    const table = this.#table(type);
    let entry = table.seek(type, mac, 0);
    while (entry !== -1 && table.packfileOf(entry) !== packfile) entry = table.next();
    if (entry === -1) return;
    table.remove(entry);
    this.#packfiles.countLocations(packfile, -1);
    this.#locationCount--;
  }

  /** Removes a packfile and all its locations, as a DELETE entry for PACKFILE does. */
  deletePackfile(mac: Mac): void {
    const packfile = this.#packfiles.lookup(mac, 0);
    if (packfile === -1) return;
    if ((this.#packfiles.flagsOf(packfile) & KNOWN) !== 0) this.#packfileCount--;
    this.#locationCount -= this.#packfiles.locationsOf(packfile);
    this.#packfiles.countLocations(packfile, -this.#packfiles.locationsOf(packfile));
    this.#packfiles.setFlags(packfile, RETIRED);
  }

  /** The best location of a blob that can be used; undefined when there is none. */
  find(type: number, mac: Mac): BlobLocation | undefined {
    const table = this.#table(type);
    const entry = this.#firstUsable(table, type, mac, 0);
    return entry === -1 ? this.findAll(type, mac)[0] : this.#location(table, entry);
  }

  /** All locations of a blob that can be used: first those in packfiles that nobody doubts. */
  findAll(type: number, mac: Mac): BlobLocation[] {
    const table = this.#table(type);
    const sound: BlobLocation[] = [];
    const doubted: BlobLocation[] = [];
    for (let entry = table.seek(type, mac, 0); entry !== -1; entry = table.next()) {
      const flags = this.#packfiles.flagsOf(table.packfileOf(entry));
      if (flags === KNOWN) sound.push(this.#location(table, entry));
      if (flags === (KNOWN | DOUBTED)) doubted.push(this.#location(table, entry));
    }
    return [...sound, ...doubted];
  }

  /** Whether a blob has a location that can be relied on. Allocates nothing. */
  has(type: number, mac: Uint8Array, macOffset = 0): boolean {
    return this.#firstUsable(this.#table(type), type, mac, macOffset) !== -1;
  }

  /**
   * Says that a packfile is missing or damaged. This holds in this process: it is no part of what is
   * saved.
   *
   * @returns whether this is news; false too for a packfile that is not in use
   */
  doubt(mac: Mac): boolean {
    const packfile = this.#packfiles.lookup(mac, 0);
    if (packfile === -1 || this.#packfiles.flagsOf(packfile) !== KNOWN) return false;
    this.#packfiles.setFlags(packfile, KNOWN | DOUBTED);
    this.#hasDoubts = true;
    return true;
  }

  /** Whether {@linkcode doubt} was ever called about a packfile in use. */
  get hasDoubts(): boolean {
    return this.#hasDoubts;
  }

  /** Whether a packfile exists and is not coloured. */
  isInUse(mac: Mac): boolean {
    const packfile = this.#packfiles.lookup(mac, 0);
    return packfile !== -1 && (this.#packfiles.flagsOf(packfile) & ~DOUBTED) === KNOWN;
  }

  /** Whether a packfile was found missing or damaged. */
  isDoubted(mac: Mac): boolean {
    const packfile = this.#packfiles.lookup(mac, 0);
    return packfile !== -1 && (this.#packfiles.flagsOf(packfile) & DOUBTED) !== 0;
  }

  /**
   * The packfiles that are in use, and up to which byte of its body each one's blobs reach; the index
   * must be complete.
   */
  *extents(): Generator<{ mac: Mac; bytes: number }> {
    const ends = new Float64Array(this.#packfiles.length);
    for (const table of [this.#snapshots, this.#loadedBlobs()]) {
      for (let entry = 0; entry < table.entries; entry++) {
        if (table.typeOf(entry) === 0) continue;
        const packfile = table.packfileOf(entry);
        const end = table.offsetOf(entry) + table.lengthOf(entry);
        if (end > ends[packfile]!) ends[packfile] = end;
      }
    }
    for (let packfile = 0; packfile < ends.length; packfile++) {
      if ((this.#packfiles.flagsOf(packfile) & ~DOUBTED) !== KNOWN) continue;
      yield { mac: this.#packfiles.macOf(packfile), bytes: ends[packfile]! };
    }
  }

  /** When a resource was coloured; undefined when it is not. */
  colouredAt(type: number, mac: Mac): bigint | undefined {
    if (this.#colours.size === 0) return undefined;
    return this.#colours.get(colourKey(type, mac, 0));
  }

  /**
   * Ids of the snapshots that exist: located in a packfile with a PACKFILE entry, not coloured
   * themselves. The packfile may be coloured; then {@linkcode find} does not find the header.
   */
  snapshotIds(): Mac[] {
    const ids = new Map<string, Mac>();
    for (let entry = 0; entry < this.#snapshots.entries; entry++) {
      if (this.#snapshots.typeOf(entry) !== ResourceType.SNAPSHOT) continue;
      const flags = this.#packfiles.flagsOf(this.#snapshots.packfileOf(entry));
      if ((flags & KNOWN) === 0) continue;
      const id = this.#snapshots.macOf(entry);
      const key = macToHex(id);
      if (ids.has(key) || this.colouredAt(ResourceType.SNAPSHOT, id) !== undefined) continue;
      ids.set(key, id.slice());
    }
    return [...ids.values()];
  }

  /** Packfiles that have a PACKFILE entry, coloured or not, and the time of that entry. */
  *packfiles(): Generator<{ mac: Mac; timestampNs: bigint }> {
    for (let packfile = 0; packfile < this.#packfiles.length; packfile++) {
      if ((this.#packfiles.flagsOf(packfile) & KNOWN) === 0) continue;
      yield {
        mac: this.#packfiles.macOf(packfile),
        timestampNs: this.#packfiles.timestampOf(packfile),
      };
    }
  }

  #table(type: number): LocationTable {
    return type === ResourceType.SNAPSHOT ? this.#snapshots : this.#loadedBlobs();
  }

  #loadedBlobs(): LocationTable {
    if (this.#blobs === undefined) {
      throw new Error("Cannot use the index: its pages are not loaded");
    }
    return this.#blobs;
  }

  #location(table: LocationTable, entry: number): BlobLocation {
    return {
      packfile: this.#packfiles.macOf(table.packfileOf(entry)),
      offset: table.offsetOf(entry),
      length: table.lengthOf(entry),
    };
  }

  #firstUsable(table: LocationTable, type: number, mac: Uint8Array, macOffset: number): number {
    let entry = table.seek(type, mac, macOffset);
    while (entry !== -1 && this.#packfiles.flagsOf(table.packfileOf(entry)) !== KNOWN) {
      entry = table.next();
    }
    return entry;
  }

  #intern(mac: Uint8Array, macOffset: number): number {
    const packfile = this.#packfiles.lookup(mac, macOffset);
    if (packfile !== -1) return packfile;
    const coloured = this.#colours.has(colourKey(ResourceType.PACKFILE, mac, macOffset));
    return this.#packfiles.append(coloured ? COLOURED : 0);
  }

  #changePackfileColour(mac: Mac, colour: number): void {
    const packfile = this.#packfiles.lookup(mac, 0);
    if (packfile === -1) return;
    this.#packfiles.setFlags(packfile, (this.#packfiles.flagsOf(packfile) & ~COLOURED) | colour);
  }
  /** How many pages {@linkcode pageBytes} gives; 0 while the index is not complete. */
  get pageCount(): number {
    return this.#blobs?.pageCount ?? 0;
  }

  /** Numbers of the pages changed since {@linkcode markClean}; all of them in a new index. */
  get dirtyPages(): ReadonlySet<number> {
    return this.#blobs?.dirtyPages ?? new Set();
  }

  /** Says that every page is saved as it is now. */
  markClean(): void {
    this.#blobs?.markClean();
  }

  /** The bytes of one page, for {@linkcode attachPages}. Valid until the next change. */
  pageBytes(page: number): Uint8Array {
    return this.#loadedBlobs().pageBytes(page);
  }

  /** Everything but the pages, for {@linkcode BlobIndex.fromSummary}. */
  summary(): BlobIndexSummary {
    const snapshots: Uint8Array[] = [];
    for (let page = 0; page < this.#snapshots.pageCount; page++) {
      snapshots.push(this.#snapshots.pageBytes(page));
    }
    return {
      packfiles: this.#packfiles.toBytes(),
      colours: encodeColours(this.#colours),
      snapshots: concatenate(snapshots),
    };
  }

  /**
   * An index that is not {@linkcode complete}, from what {@linkcode summary} gave. Summaries and
   * pages are trusted: the caller has verified that they are what was saved, and belong together.
   *
   * @throws {RangeError} If a block has a wrong length.
   */
  static fromSummary(summary: BlobIndexSummary): BlobIndex {
    const index = new BlobIndex();
    index.#packfiles = PackfileTable.fromBytes(summary.packfiles);
    index.#colours = decodeColours(summary.colours);
    index.#snapshots = LocationTable.fromPages(
      SNAPSHOT_PAGE_SHIFT,
      split(summary.snapshots, LOCATION_BYTES << SNAPSHOT_PAGE_SHIFT),
    );
    index.#blobs = undefined;
    for (let packfile = 0; packfile < index.#packfiles.length; packfile++) {
      index.#locationCount += index.#packfiles.locationsOf(packfile);
      if ((index.#packfiles.flagsOf(packfile) & KNOWN) !== 0) index.#packfileCount++;
    }
    return index;
  }

  /**
   * Makes an index from {@linkcode BlobIndex.fromSummary} complete with its pages, in order. The
   * index owns them from then on. When this throws, the index stays as it was.
   *
   * @throws {RangeError} If a page has a wrong length.
   */
  attachPages(pages: Iterable<Uint8Array>): void {
    if (this.#blobs !== undefined) throw new Error("Cannot attach pages: the index has its pages");
    this.#blobs = LocationTable.fromPages(PAGE_SHIFT, pages);
  }

  /**
   * Gives back the room of removed locations and packfiles, when they are many. It copies the
   * index, and changes every page; so it is worth a call before the index is saved, not more.
   */
  compact(): void {
    const blobs = this.#blobs;
    if (blobs === undefined) return;
    const entries = blobs.entries + this.#snapshots.entries;
    const removed = entries - this.#locationCount;
    if (removed <= COMPACT_ABOVE || removed * 3 < entries) return;
    const packfiles = new PackfileTable();
    const numbers = new Uint32Array(this.#packfiles.length);
    for (let packfile = 0; packfile < this.#packfiles.length; packfile++) {
      const flags = this.#packfiles.flagsOf(packfile);
      const locations = this.#packfiles.locationsOf(packfile);
      if ((flags & RETIRED) !== 0 || ((flags & KNOWN) === 0 && locations === 0)) continue;
      packfiles.lookup(this.#packfiles.macOf(packfile), 0);
      const number = packfiles.append(flags);
      packfiles.setTimestamp(number, this.#packfiles.timestampOf(packfile));
      packfiles.countLocations(number, locations);
      numbers[packfile] = number;
    }
    this.#snapshots = this.#compacted(this.#snapshots, SNAPSHOT_PAGE_SHIFT, numbers);
    this.#blobs = this.#compacted(blobs, PAGE_SHIFT, numbers);
    this.#packfiles = packfiles;
  }

  #compacted(table: LocationTable, pageShift: number, numbers: Uint32Array): LocationTable {
    const compacted = new LocationTable(pageShift);
    for (let entry = 0; entry < table.entries; entry++) {
      const type = table.typeOf(entry);
      const packfile = table.packfileOf(entry);
      if (type === 0 || (this.#packfiles.flagsOf(packfile) & RETIRED) !== 0) continue;
      let same = compacted.seek(type, table.macOf(entry), 0);
      while (same !== -1) same = compacted.next();
      compacted.append(numbers[packfile]!, table.offsetOf(entry), table.lengthOf(entry));
    }
    return compacted;
  }
}

/** One UTF-16 unit per byte of type and MAC: short, and cheaper to make than hex digits. */
function colourKey(type: number, mac: Uint8Array, macOffset: number): string {
  checkMac(mac, macOffset);
  return String.fromCharCode(type, ...mac.subarray(macOffset, macOffset + MAC_BYTES));
}

/** Rows of: when u64 LE, type u8, MAC 32. */
function encodeColours(colours: ReadonlyMap<string, bigint>): Uint8Array {
  const bytes = new Uint8Array(colours.size * COLOUR_BYTES);
  const view = new DataView(bytes.buffer);
  let start = 0;
  for (const [key, whenNs] of colours) {
    view.setBigUint64(start, whenNs, true);
    for (let i = 0; i < key.length; i++) bytes[start + 8 + i] = key.charCodeAt(i);
    start += COLOUR_BYTES;
  }
  return bytes;
}

function decodeColours(bytes: Uint8Array): Map<string, bigint> {
  if (bytes.length % COLOUR_BYTES !== 0) {
    throw new RangeError(`Cannot use ${bytes.length} bytes of colours: the length is wrong`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const colours = new Map<string, bigint>();
  for (let start = 0; start < bytes.length; start += COLOUR_BYTES) {
    const key = colourKey(bytes[start + 8]!, bytes, start + 9);
    colours.set(key, view.getBigUint64(start, true));
  }
  return colours;
}

function* split(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) {
    yield bytes.slice(start, start + length);
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    bytes.set(part, start);
    start += part.length;
  }
  return bytes;
}
