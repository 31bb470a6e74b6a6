import { type Dump, writeAt } from "./dump.ts";
import { Random } from "./random.ts";

const PAGE_BYTES = 8192;

/** Pages that are written at a time. */
const PAGES_PER_WRITE = 128;

const CHANGED_SHARE = 0.01;

const KINDS = ["Device", "Interface", "IPAddress", "Prefix", "Circuit", "Site", "Tag"] as const;
const STATUSES = ["active", "provisioning", "drained", "maintenance", "planned"] as const;
const ROLES = ["leaf", "spine", "edge", "core", "management", "uplink", "loopback"] as const;
const SITES = ["ams", "atl", "bru", "fra", "jfk", "lhr", "ord", "par", "sin", "zrh"] as const;

/** Fills a page with records, the same way whenever it is asked to. */
type FillPage = (page: DataView, number: number, random: Random, generation: number) => void;

interface StoreFile {
  readonly name: string;
  readonly pages: number;
  readonly fill: FillPage;
}

/** Fills a page with records of one size; what is left of it stays zero. */
function records(
  recordBytes: number,
  fill: (page: DataView, at: number, id: number, random: Random, generation: number) => void,
): FillPage {
  const perPage = Math.floor(PAGE_BYTES / recordBytes);
  return (page, number, random, generation) => {
    for (let i = 0; i < perPage; i++) {
      fill(page, i * recordBytes, number * perPage + i, random, generation);
    }
  };
}

const NO_ID = 0xffffffff;

/*
 * Layouts, big-endian:
 *   node          in use 1 | first relationship 4 | first property 4 | labels 5 | dense 1
 *   relationship  in use 1 | both nodes 4+4 | type 4 | four neighbours 4 each | property 4 | first 1
 *   property      high bits 1 | previous 4 | next 4 | four values 8 each
 *   string        in use 1 | length 3 | next block 4 | UTF-8 120
 */

const fillNodes = records(15, (page, at, id, random) => {
  page.setUint8(at, 1);
  page.setUint32(at + 1, id * 2 + random.below(3));
  page.setUint32(at + 5, id * 2);
  page.setUint32(at + 9, 1 + random.below(KINDS.length));
  page.setUint8(at + 14, random.below(50) === 0 ? 1 : 0);
});

const fillRelationships = records(34, (page, at, id, random) => {
  page.setUint8(at, 1);
  page.setUint32(at + 1, id >>> 1);
  page.setUint32(at + 5, random.below((id >>> 1) + 1));
  page.setUint32(at + 9, random.below(24));
  page.setUint32(at + 13, id === 0 ? NO_ID : id - 1);
  page.setUint32(at + 17, id + 1);
  page.setUint32(at + 21, random.below(id + 1));
  page.setUint32(at + 25, random.below(4) === 0 ? NO_ID : random.below(id + 1));
  page.setUint32(at + 29, NO_ID);
  page.setUint8(at + 33, 3);
});

const fillProperties = records(41, (page, at, id, random, generation) => {
  page.setUint32(at + 1, id % 2 === 0 ? NO_ID : id - 1);
  page.setUint32(at + 5, id % 2 === 0 ? id + 1 : NO_ID);
  // A key and a type with a short value or the number of a string block.
  page.setUint32(at + 9, 0x0b000000 + random.below(60));
  page.setUint32(at + 13, id + generation);
  page.setUint32(at + 17, 0x09000000 + random.below(60));
  page.setUint32(at + 21, random.next());
  page.setUint32(at + 25, 0x01000000 + random.below(60));
  page.setUint32(at + 29, random.below(2));
});

const encoder = new TextEncoder();

/** What an attribute of an Infrahub object may hold. */
function attributeValue(random: Random, generation: number): string {
  const site = random.pick(SITES);
  switch (random.below(4)) {
    case 0:
      return `${site}${1 + random.below(9)}-${random.pick(ROLES)}-${1 + random.below(400)}`;
    case 1:
      return `Ethernet${1 + random.below(48)}/${1 + random.below(4)} to ` +
        `${random.pick(SITES)}-${random.pick(ROLES)}-${random.below(400)} (${
          random.pick(STATUSES)
        })`;
    case 2:
      return `10.${random.below(256)}.${random.below(256)}.${random.below(256)}/` +
        `${24 + random.below(9)} ${random.uuid()}`;
    default:
      return `{"kind": "${random.pick(KINDS)}", "status": "${random.pick(STATUSES)}", ` +
        `"branch_level": ${generation}, "id": "${random.uuid()}"}`;
  }
}

const fillStrings = records(128, (page, at, _id, random, generation) => {
  const text = attributeValue(random, generation);
  const target = new Uint8Array(page.buffer, page.byteOffset + at + 8, 120);
  const { written } = encoder.encodeInto(text, target);
  page.setUint32(at, (0x01 << 24) | written);
  page.setUint32(at + 4, NO_ID);
});

/** A leaf of a sorted tree: header, ascending keys, and the node that each belongs to. */
const fillIndex: FillPage = (page, number, random, generation) => {
  page.setUint32(0, 0x02000000 + generation);
  page.setUint32(4, number + 1);
  let key = number * 1_000_000;
  for (let at = 64; at + 24 <= PAGE_BYTES; at += 24) {
    key += 1 + random.below(4000);
    page.setUint32(at, 0x14);
    page.setUint32(at + 8, key);
    page.setUint32(at + 16, random.below(700_000));
  }
};

/** Small stores: counters and names, in one page or two. */
const fillTokens = records(64, (page, at, id, random, generation) => {
  page.setUint8(at, 1);
  page.setUint32(at + 4, id);
  const target = new Uint8Array(page.buffer, page.byteOffset + at + 12, 52);
  encoder.encodeInto(`${random.pick(KINDS)}_${random.pick(ROLES)}_${id}_${generation}`, target);
});

const FILES: readonly StoreFile[] = [
  { name: "neostore", pages: 1, fill: fillTokens },
  { name: "neostore.counts.db", pages: 6, fill: fillIndex },
  { name: "neostore.labeltokenstore.db", pages: 1, fill: fillTokens },
  { name: "neostore.labeltokenstore.db.names", pages: 2, fill: fillTokens },
  { name: "neostore.nodestore.db", pages: 1_300, fill: fillNodes },
  { name: "neostore.propertystore.db", pages: 5_600, fill: fillProperties },
  { name: "neostore.propertystore.db.strings", pages: 3_000, fill: fillStrings },
  { name: "neostore.relationshipstore.db", pages: 5_000, fill: fillRelationships },
  { name: "neostore.relationshiptypestore.db.names", pages: 2, fill: fillTokens },
  { name: "neostore.schemastore.db", pages: 1, fill: fillTokens },
  { name: "schema/index/range-1.0/3/index-3", pages: 1_100, fill: fillIndex },
  { name: "schema/index/token-lookup-1.0/1/index-1", pages: 300, fill: fillIndex },
];

/** A folder like that of a Neo4j database, with its names, pages and records: 134 MB. */
export class Neo4jStore implements Dump {
  readonly #folder: string;
  readonly #seed: number;

  /** @param folder does not exist yet */
  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#seed = seed;
  }

  /** Paths of its files, relative to the folder. */
  get paths(): string[] {
    return FILES.map(({ name }) => name);
  }

  async create(signal: AbortSignal): Promise<number> {
    let bytes = 0;
    for (const [index, { name, pages }] of FILES.entries()) {
      const path = `${this.#folder}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      using file = await Deno.open(path, { write: true, createNew: true });
      bytes += await this.#write(file, index, 0, pages, 1, signal);
    }
    return bytes;
  }

  async change(signal: AbortSignal): Promise<number> {
    const random = new Random(this.#seed, FILES.length);
    let bytes = 0;
    for (const [index, { name, pages }] of FILES.entries()) {
      const changed = Math.round(pages * CHANGED_SHARE);
      if (changed === 0) continue;
      const first = random.below(pages - changed);
      using file = await Deno.open(`${this.#folder}/${name}`, { write: true });
      bytes += await this.#write(file, index, first, first + changed, 2, signal);
    }
    return bytes;
  }

  async #write(
    file: Deno.FsFile,
    index: number,
    first: number,
    end: number,
    generation: number,
    signal: AbortSignal,
  ): Promise<number> {
    const { fill } = FILES[index] ?? { fill: fillTokens };
    const buffer = new Uint8Array(PAGES_PER_WRITE * PAGE_BYTES);
    for (let start = first; start < end; start += PAGES_PER_WRITE) {
      signal.throwIfAborted();
      const count = Math.min(PAGES_PER_WRITE, end - start);
      buffer.fill(0);
      for (let i = 0; i < count; i++) {
        const page = new DataView(buffer.buffer, i * PAGE_BYTES, PAGE_BYTES);
        const random = new Random(this.#seed, index, start + i, generation);
        fill(page, start + i, random, generation);
      }
      await writeAt(file, buffer.subarray(0, count * PAGE_BYTES), start * PAGE_BYTES);
    }
    return (end - first) * PAGE_BYTES;
  }
}
