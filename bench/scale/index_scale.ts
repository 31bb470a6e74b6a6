// deno-lint-ignore-file no-console -- the measurements are its output
/**
 * How the index behaves at scale: memory, rates, and the time to open it from its cache.
 *
 * `deno run -A bench/scale/index_scale.ts [--json] [millions of locations …]`, 1 and 10 unless given. Each
 * size runs in a process of its own, so that its memory is its own. With `--json`, the last line of a
 * size has its figures for programs, by name, in seconds, bytes, or numbers a second.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { BlobIndex, IndexCache } from "../../src/kloset/index/mod.ts";
import { Kernels } from "../../src/kernels/mod.ts";

const CHUNK = 9;
const SNAPSHOT = 5;
const BLOBS_PER_PACKFILE = 64;
const LOOKUPS = 2_000_000;
const SNAPSHOTS = 3_000;
const MEBIBYTE = 1024 ** 2;

const json = Deno.args.includes("--json");
const sizes = Deno.args.filter((arg) => arg !== "--json");
const [size, role, directory] = sizes;
/** What was measured in this process. */
const figures: Record<string, number> = {};
if (role === "build" && directory !== undefined) await build(Number(size), directory);
else if (role === "open" && directory !== undefined) await open(Number(size), directory);
else for (const millions of sizes.length > 0 ? sizes : ["1", "10"]) await measure(millions);

async function measure(millions: string): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "index-scale-" });
  try {
    for (const role of ["build", "open"]) {
      const { success, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", import.meta.filename ?? "", millions, role, directory],
        stderr: "inherit",
      }).output();
      if (!success) Deno.exit(1);
      const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
      const last = lines.pop() ?? "";
      console.log(lines.join("\n"));
      for (const [name, value] of Object.entries<number>(JSON.parse(last))) {
        figures[`${role}: ${name}`] = value;
      }
    }
    if (json) console.log(JSON.stringify(figures));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The n-th MAC of a kind: eight words of a mixed counter. */
function fillMac(words: Uint32Array, kind: number, n: number): void {
  for (let i = 0; i < words.length; i++) {
    let word = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(kind * 8 + i + 1, 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
    word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
    words[i] = word ^ (word >>> 16);
  }
}

function macBuffer() {
  const words = new Uint32Array(8);
  return { words, bytes: new Uint8Array(words.buffer) };
}

async function build(millions: number, directory: string): Promise<void> {
  const count = millions * 1_000_000;
  console.log(`${millions} million locations, deno ${Deno.version.deno}`);
  const index = new BlobIndex();
  const mac = macBuffer();
  const packfile = macBuffer();
  const idle = Deno.memoryUsage().rss;

  let start = performance.now();
  for (let n = 0; n < count; n++) {
    if (n % BLOBS_PER_PACKFILE === 0) {
      fillMac(packfile.words, 1, n);
      index.addPackfile(packfile.bytes, BigInt(n));
    }
    fillMac(mac.words, 0, n);
    const offset = (n % BLOBS_PER_PACKFILE) * MEBIBYTE;
    index.addLocation(CHUNK, mac.bytes, 0, packfile.bytes, 0, offset, MEBIBYTE);
  }
  for (let n = 0; n < SNAPSHOTS; n++) {
    fillMac(mac.words, 2, n);
    index.addLocation(SNAPSHOT, mac.bytes, 0, packfile.bytes, 0, n, 1000);
  }
  report("insert", count, start);
  reportMemory(idle);
  lookUp(index, count);

  using cache = await openCache(directory);
  const stateIds = new Set<string>();
  for (let n = 0; n < SNAPSHOTS; n++) {
    fillMac(mac.words, 2, n);
    cache.putHeader(mac.bytes.slice(), new Uint8Array(1500).fill(n));
    stateIds.add(createHash("sha256").update(mac.bytes).digest("hex"));
  }
  start = performance.now();
  if (!cache.save({ index, stateIds, extra: "{}" })) throw new Error("The index was not saved");
  report("first save", count, start);

  fillMac(mac.words, 3, 0);
  index.addLocation(CHUNK, mac.bytes, 0, packfile.bytes, 0, 1, 1);
  start = performance.now();
  if (!cache.save({ index, stateIds, extra: "{}" })) throw new Error("The index was not saved");
  reportTime("save after one more blob", start);
  const file = [...Deno.readDirSync(directory)].map(({ name }) => name)[0];
  console.log(`file: ${mebibytes(Deno.statSync(`${directory}/${file}`).size)}`);
  console.log(JSON.stringify(figures));
}

async function open(millions: number, directory: string): Promise<void> {
  using cache = await openCache(directory);
  const idle = Deno.memoryUsage().rss;
  let start = performance.now();
  const loaded = cache.load();
  if (loaded === undefined) throw new Error("The index was not loaded");
  const ids = loaded.index.snapshotIds();
  reportTime(`open for a list of ${ids.length} snapshots`, start);
  start = performance.now();
  if (cache.getHeaders(ids).includes(undefined)) throw new Error("No header");
  reportTime("their headers", start);
  start = performance.now();
  if (!cache.complete(loaded.index)) throw new Error("The pages were not loaded");
  report("load of all pages", loaded.index.locationCount, start);
  reportMemory(idle);
  lookUp(loaded.index, millions * 1_000_000);
  console.log(JSON.stringify(figures));
}

/** Looks for blobs in an order unlike that of insertion, half of which exist. */
function lookUp(index: BlobIndex, count: number): void {
  const mac = macBuffer();
  for (const [name, kind, expected] of [["hits", 0, LOOKUPS], ["misses", 4, 0]] as const) {
    let found = 0;
    const start = performance.now();
    for (let i = 0; i < LOOKUPS; i++) {
      fillMac(mac.words, kind, (i * 7919) % count);
      if (index.has(CHUNK, mac.bytes)) found++;
    }
    report(`lookup, ${name}`, LOOKUPS, start);
    if (found !== expected) throw new Error(`Found ${found} blobs, not ${expected}`);
  }
}

async function openCache(directory: string): Promise<IndexCache> {
  const kernels = await Kernels.load();
  const key = new Uint8Array(32).fill(7);
  return new IndexCache({
    directory,
    repositoryId: "00000000-0000-4000-8000-000000000000",
    location: directory,
    mac: (bytes) => kernels.blake3(bytes, key),
    onWarning: (message) => {
      throw new Error(message);
    },
  });
}

/** Reports a time, and the rate at which things were done in it. */
function report(what: string, count: number, start: number): void {
  const seconds = (performance.now() - start) / 1000;
  figures[what] = seconds;
  figures[`${what}, per second`] = count / seconds;
  console.log(`${what}: ${seconds.toFixed(3)} s, ${(count / seconds / 1e6).toFixed(2)} M/s`);
}

function reportTime(what: string, start: number): void {
  const seconds = (performance.now() - start) / 1000;
  figures[what] = seconds;
  console.log(`${what}: ${seconds.toFixed(3)} s`);
}

/** Reports the resident memory of this process beyond what it had at first. */
function reportMemory(idle: number): void {
  const bytes = Deno.memoryUsage().rss - idle;
  figures["memory above idle"] = bytes;
  figures["memory of the process"] = idle + bytes;
  console.log(`memory above idle: ${mebibytes(bytes)}`);
}

function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(0)} MiB`;
}
