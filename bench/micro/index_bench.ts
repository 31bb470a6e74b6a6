/**
 * Speed of the index of a million chunks. Every iteration looks for 65,536 chunks, so the column
 * `iter/s` divided by 16 is the rate in millions a second. `bench/scale/index_scale.ts` looks at larger
 * ones, and at their memory.
 *
 * @module
 */
import { BlobIndex } from "../../src/kloset/index/mod.ts";

const CHUNK = 9;
const LOCATIONS = 2 ** 20;
const LOOKUPS = 2 ** 16;
const LOCATIONS_PER_PACKFILE = 64;
const MAC_BYTES = 32;

/** MACs as random as hashes are, one after the other, from words of the xorshift generator. */
function macs(count: number, seed: number): Uint8Array {
  const words = new Uint32Array(count * MAC_BYTES / 4);
  let x = seed;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  return new Uint8Array(words.buffer);
}

const present = macs(LOCATIONS, 1);
const absent = macs(LOOKUPS, 2);
const packfiles = macs(LOCATIONS / LOCATIONS_PER_PACKFILE, 3);

function macOf(all: Uint8Array, n: number): Uint8Array {
  return all.subarray(n * MAC_BYTES, (n + 1) * MAC_BYTES);
}

const index = new BlobIndex();
for (let n = 0; n < LOCATIONS; n++) {
  const packfile = macOf(packfiles, Math.floor(n / LOCATIONS_PER_PACKFILE));
  const inPackfile = n % LOCATIONS_PER_PACKFILE;
  if (inPackfile === 0) index.addPackfile(packfile, BigInt(n));
  index.addLocation(CHUNK, macOf(present, n), 0, packfile, 0, inPackfile * 2 ** 20, 2 ** 20);
}

/** Far apart, so that the processor's caches help as little as with a real stream. */
const STRIDE = 7919;

function lookUp(all: Uint8Array, count: number, expected: number): void {
  let found = 0;
  for (let i = 0; i < LOOKUPS; i++) {
    if (index.has(CHUNK, macOf(all, (i * STRIDE) % count))) found++;
  }
  if (found !== expected) throw new Error(`Found ${found} chunks, not ${expected}`);
}

Deno.bench("index lookup, hits", () => lookUp(present, LOCATIONS, LOOKUPS));
Deno.bench("index lookup, misses", () => lookUp(absent, LOOKUPS, 0));
