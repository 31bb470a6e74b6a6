import { assertEquals } from "@std/assert";
import { BlobIndex } from "../../../../src/kloset/index/mod.ts";

const PACKFILE = 4;
const SNAPSHOT = 5;

/** A MAC whose first four bytes are the same for every n with the same n mod 2: they collide. */
export function testMac(n: number): Uint8Array {
  const mac = new Uint8Array(32);
  mac[0] = n % 2;
  new DataView(mac.buffer).setUint32(28, n);
  return mac;
}

/** One entry of a state, in small numbers that {@linkcode testMac} makes MACs of. */
export type Operation =
  | { kind: "location"; type: number; blob: number; packfile: number; offset: number }
  | { kind: "packfile"; packfile: number; when: number }
  | { kind: "colour"; type: number; mac: number; when: number }
  | { kind: "uncolour"; type: number; mac: number }
  | { kind: "delete location"; type: number; blob: number; packfile: number }
  | { kind: "delete packfile"; packfile: number };

interface Location {
  type: number;
  blob: number;
  packfile: number;
  offset: number;
}

/** The merge rules of the format reference (section 9.6), in maps and linear searches. */
export class IndexModel {
  readonly #locations = new Map<string, Location>();
  readonly #packfiles = new Map<number, number>();
  readonly #colours = new Map<string, number>();

  apply(operation: Operation): void {
    switch (operation.kind) {
      case "location": {
        const { type, blob, packfile } = operation;
        const key = `${type} ${blob} ${packfile}`;
        if (!this.#locations.has(key)) this.#locations.set(key, operation);
        break;
      }
      case "packfile":
        if (!this.#packfiles.has(operation.packfile)) {
          this.#packfiles.set(operation.packfile, operation.when);
        }
        break;
      case "colour": {
        const key = `${operation.type} ${operation.mac}`;
        if (!this.#colours.has(key)) this.#colours.set(key, operation.when);
        break;
      }
      case "uncolour":
        this.#colours.delete(`${operation.type} ${operation.mac}`);
        break;
      case "delete location":
        this.#locations.delete(`${operation.type} ${operation.blob} ${operation.packfile}`);
        break;
      case "delete packfile":
        this.#packfiles.delete(operation.packfile);
        for (const [key, { packfile }] of this.#locations) {
          if (packfile === operation.packfile) this.#locations.delete(key);
        }
        break;
    }
  }

  /** The usable location of every blob that has one, by type and blob. */
  usable(): Map<string, Location> {
    const usable = new Map<string, Location>();
    for (const location of this.#locations.values()) {
      const { type, blob, packfile } = location;
      if (!this.#packfiles.has(packfile) || this.#colours.has(`${PACKFILE} ${packfile}`)) continue;
      if (!usable.has(`${type} ${blob}`)) usable.set(`${type} ${blob}`, location);
    }
    return usable;
  }

  /** Asserts that the index says the same of these types and blobs, and of everything listed. */
  assertMatches(index: BlobIndex, types: readonly number[], blobs: number): void {
    assertEquals(index.locationCount, this.#locations.size);
    assertEquals(index.packfileCount, this.#packfiles.size);
    assertEquals(
      [...index.packfiles()].map(({ mac, timestampNs }) => `${numberOf(mac)} ${timestampNs}`)
        .sort(),
      [...this.#packfiles].map(([packfile, when]) => `${packfile} ${when}`).sort(),
    );
    const snapshots = new Set<number>();
    for (const { type, blob, packfile } of this.#locations.values()) {
      if (type !== SNAPSHOT || !this.#packfiles.has(packfile)) continue;
      if (!this.#colours.has(`${SNAPSHOT} ${blob}`)) snapshots.add(blob);
    }
    assertEquals(index.snapshotIds().map(numberOf).sort(), [...snapshots].sort());
    const usable = this.usable();
    for (const type of types) {
      for (let blob = 0; blob < blobs; blob++) {
        const found = index.find(type, testMac(blob));
        const want = usable.get(`${type} ${blob}`);
        assertEquals(index.has(type, testMac(blob)), want !== undefined);
        assertEquals(
          found && [numberOf(found.packfile), found.offset, found.length],
          want && [
            want.packfile,
            want.offset,
            lengthOf(want.offset),
          ],
        );
        assertEquals(
          index.colouredAt(type, testMac(blob)),
          bigintOf(this.#colours.get(`${type} ${blob}`)),
        );
      }
    }
  }
}

/** Applies the operation to the index. */
export function applyTo(index: BlobIndex, operation: Operation): void {
  switch (operation.kind) {
    case "location": {
      const { type, blob, packfile, offset } = operation;
      // Both MACs within one larger array, as in a state.
      const entry = new Uint8Array(3 + 64);
      entry.set(testMac(blob), 3);
      entry.set(testMac(packfile), 3 + 32);
      index.addLocation(type, entry, 3, entry, 3 + 32, offset, lengthOf(offset));
      break;
    }
    case "packfile":
      index.addPackfile(testMac(operation.packfile), BigInt(operation.when));
      break;
    case "colour":
      index.colour(operation.type, testMac(operation.mac), BigInt(operation.when));
      break;
    case "uncolour":
      index.uncolour(operation.type, testMac(operation.mac));
      break;
    case "delete location":
      index.deleteLocation(operation.type, testMac(operation.blob), testMac(operation.packfile));
      break;
    case "delete packfile":
      index.deletePackfile(testMac(operation.packfile));
      break;
  }
}

/** The index as it comes back from where its summary and pages were stored. */
export function reloaded(index: BlobIndex): BlobIndex {
  const { packfiles, colours, snapshots } = index.summary();
  const copy = BlobIndex.fromSummary({
    packfiles: packfiles.slice(),
    colours: colours.slice(),
    snapshots: snapshots.slice(),
  });
  const pages: Uint8Array[] = [];
  for (let page = 0; page < index.pageCount; page++) pages.push(index.pageBytes(page).slice());
  copy.attachPages(pages);
  return copy;
}

function lengthOf(offset: number): number {
  return (offset * 31) % 2 ** 32;
}

function numberOf(mac: Uint8Array): number {
  return new DataView(mac.buffer, mac.byteOffset).getUint32(28);
}

function bigintOf(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}
