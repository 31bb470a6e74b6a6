import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CutScanner, type FastCdcParameters, Kernels } from "../../../src/kernels/mod.ts";

const kernels = await Kernels.load();

const INPUT_BYTES = 25_165_824;

/** The input of the format's chunking vector: xorshift64, eight bytes a step. */
function vectorInput(): Uint8Array {
  const bytes = new Uint8Array(INPUT_BYTES);
  const words = new Uint32Array(bytes.buffer);
  let low = 0x89abcdef;
  let high = 0x01234567;
  for (let index = 0; index < words.length; index += 2) {
    high ^= (high << 13) | (low >>> 19);
    low ^= low << 13;
    low ^= (low >>> 7) | (high << 25);
    high ^= high >>> 7;
    high ^= (high << 17) | (low >>> 15);
    low ^= low << 17;
    words[index] = low;
    words[index + 1] = high;
  }
  return bytes;
}

const input = vectorInput();

/** Lengths of the chunks of `content`, scanned in steps of `step` bytes. */
function chunkLengths(content: Uint8Array, parameters: FastCdcParameters, step: number): number[] {
  const scanner = new CutScanner(kernels, parameters);
  const region = kernels.allocate(content.length);
  kernels.bytes(region).set(content);
  const lengths: number[] = [];
  let start = 0;
  while (start < content.length) {
    const chunk = { offset: region.offset + start, length: content.length - start };
    scanner.reset();
    let filled = 0;
    let length: number | undefined;
    while (length === undefined && filled < chunk.length) {
      filled = Math.min(filled + step, chunk.length);
      length = scanner.scan(chunk, filled);
    }
    length ??= chunk.length;
    lengths.push(length);
    start += length;
  }
  kernels.free(region);
  scanner.dispose();
  return lengths;
}

const CURRENT: FastCdcParameters = {
  algorithm: "fastcdc-v1.0.0",
  minSize: 524_288,
  normalSize: 1_048_576,
  maxSize: 8_388_608,
};

// deno-fmt-ignore
const CURRENT_LENGTHS = [
  1066985, 1704578, 1134547, 1131399, 1400032, 1171874, 1085762, 1848758, 1102882, 1668628,
  1321513, 1392168, 1085210, 1397889, 1748406, 1336029, 1300646, 1215607, 1052911,
];

const LEGACY: FastCdcParameters = {
  algorithm: "fastcdc",
  minSize: 65_536,
  normalSize: 1_048_576,
  maxSize: 4_194_304,
};

// deno-fmt-ignore
const LEGACY_LENGTHS = [
  70826, 93478, 121789, 149432, 86806, 67059, 93394, 119655, 110162, 98872, 105199, 70994,
];

Deno.test("CutScanner cuts where the format's vector does", async (t) => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", input as BufferSource));
  assertEquals(Array.from(digest.subarray(0, 4)), [0x0d, 0x50, 0x87, 0x1e]);
  for (const step of [INPUT_BYTES, 65_536, 99_991]) {
    await t.step(`fastcdc-v1.0.0, ${step} bytes at a time`, () => {
      assertEquals(chunkLengths(input, CURRENT, step), CURRENT_LENGTHS);
    });
    await t.step(`fastcdc, ${step} bytes at a time`, () => {
      const lengths = chunkLengths(input, LEGACY, step);
      assertEquals(lengths.slice(0, LEGACY_LENGTHS.length), LEGACY_LENGTHS);
      assertEquals(lengths.at(-1), 56942);
      assertEquals(lengths.reduce((sum, length) => sum + length), INPUT_BYTES);
    });
  }
});

Deno.test("CutScanner cuts the same chunks however the bytes arrive", () => {
  const parameters: FastCdcParameters = {
    algorithm: "fastcdc-v1.0.0",
    minSize: 64,
    normalSize: 256,
    maxSize: 1024,
  };
  fc.assert(
    fc.property(
      fc.nat(INPUT_BYTES - 20_000),
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: 1, max: 300 }),
      (start, length, step) => {
        const content = input.subarray(start, start + length);
        const lengths = chunkLengths(content, parameters, step);
        assertEquals(lengths, chunkLengths(content, parameters, length));
        assertEquals(lengths.reduce((sum, piece) => sum + piece), length);
        assert(lengths.slice(0, -1).every((piece) => piece >= 64 && piece <= 1024));
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("CutScanner uses the fixed masks for the sizes they were made for", () => {
  const sizes = { minSize: 2048, normalSize: 8192, maxSize: 65_536 };
  const content = input.subarray(0, 2_000_000);
  assertEquals(
    chunkLengths(content, { algorithm: "fastcdc-v1.0.0", ...sizes }, 4096),
    chunkLengths(content, { algorithm: "fastcdc", ...sizes }, 4096),
  );
});

Deno.test("CutScanner.scan() cuts at the maximum when nothing else does", () => {
  const parameters: FastCdcParameters = {
    algorithm: "fastcdc-v1.0.0",
    minSize: 1000,
    normalSize: 4096,
    maxSize: 10_001,
  };
  // One byte value over and over: its fingerprint settles, and does not cut.
  assertEquals(chunkLengths(new Uint8Array(30_000), parameters, 777), [10_001, 10_001, 9_998]);
});

Deno.test("CutScanner.scan() needs more than the minimum", () => {
  const region = kernels.allocate(1_048_576);
  const scanner = new CutScanner(kernels, CURRENT);
  assertEquals(scanner.scan(region, 0), undefined);
  assertEquals(scanner.scan(region, CURRENT.minSize), undefined);
  scanner.dispose();
  kernels.free(region);
});

Deno.test("CutScanner refuses parameters without meaning", async (t) => {
  const cases: [string, Partial<FastCdcParameters>][] = [
    ["minimum under 64", { minSize: 63 }],
    ["minimum not under normal", { minSize: 1_048_576 }],
    ["normal not under maximum", { maxSize: 1_048_576 }],
    ["normal not a power of two", { normalSize: 1_000_000 }],
    ["maximum over 1 GiB", { maxSize: 1024 ** 3 + 1 }],
    ["not a whole number", { minSize: 524_288.5 }],
    ["not a number", { maxSize: NaN }],
  ];
  for (const [name, change] of cases) {
    await t.step(name, () => {
      assertThrows(() => new CutScanner(kernels, { ...CURRENT, ...change }), RangeError);
    });
  }
});
