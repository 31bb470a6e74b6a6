/**
 * Speed of each kernel on one thread. Every iteration handles 16 MiB, so the column `iter/s`
 * divided by 64 is the speed in GiB/s.
 *
 * @module
 */
import {
  BLAKE3_STATE_BYTES,
  CutScanner,
  Kernels,
  lz4FrameBound,
  type Region,
} from "../../src/kernels/mod.ts";

const LENGTH = 16 * 1024 ** 2;
const PIECE = 1024 ** 2;

const kernels = await Kernels.load();
const frame = kernels.allocate(lz4FrameBound(LENGTH));
const target = kernels.allocate(LENGTH);
const state = kernels.allocate(BLAKE3_STATE_BYTES);

function inputOf(fill: (bytes: Uint8Array) => void): Region {
  const region = kernels.allocate(LENGTH);
  fill(kernels.bytes(region));
  return region;
}

const random = inputOf((bytes) => {
  for (let start = 0; start < LENGTH; start += 65_536) {
    bytes.set(crypto.getRandomValues(new Uint8Array(65_536)), start);
  }
});

/** Rows as a database dump has them: numbers that count up, words, dates. */
const text = inputOf((bytes) => {
  const words = ["interface", "device", "connected", "status", "active", "prefix", "tenant"];
  const encoder = new TextEncoder();
  let at = 0;
  let x = 1;
  for (let row = 0; at < LENGTH; row += 1) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    const line = `${row}\t${words[x % 7]}\t${x.toString(36)}\t${words[(x >>> 8) % 7]}-${
      (x >>> 16) % 4096
    }\t2026-01-${10 + (x >>> 4) % 20}\n`;
    bytes.set(encoder.encode(line).subarray(0, LENGTH - at), at);
    at += line.length;
  }
});

const zeros = inputOf((bytes) => bytes.fill(0));

const inputs = { random, text, zeros };

Deno.bench("blake3, 1 MiB updates", () => {
  kernels.blake3Init(state);
  for (let start = 0; start < LENGTH; start += PIECE) {
    kernels.blake3Update(state, random, start, start + PIECE);
  }
  kernels.blake3Digest(state);
});

const scanner = new CutScanner(kernels, {
  algorithm: "fastcdc-v1.0.0",
  minSize: 64,
  normalSize: 2 ** 29,
  maxSize: 2 ** 30,
});

Deno.bench("fastcdc scan, every byte looked at", () => {
  scanner.reset();
  scanner.scan(random, LENGTH);
});

const block = new Uint8Array(16).fill(7);

Deno.bench("polyval, in pieces of 64 KiB as they are encrypted", () => {
  for (let start = 0; start < LENGTH; start += 65_536) {
    kernels.polyval(block, random, start, start + 65_536, block);
  }
});

for (const [name, input] of Object.entries(inputs)) {
  Deno.bench(`entropy of ${name}`, { group: "entropy" }, () => {
    kernels.entropy(input, 0, LENGTH);
  });
  Deno.bench(`lz4 encode of ${name}`, { group: "lz4 encode" }, () => {
    kernels.lz4Encode(input, 0, LENGTH, frame);
  });
  Deno.bench(`lz4 decode of ${name}`, { group: "lz4 decode" }, (bench) => {
    const length = kernels.lz4Encode(input, 0, LENGTH, frame);
    bench.start();
    kernels.lz4Decode(frame, 0, length, target);
    bench.end();
  });
}
