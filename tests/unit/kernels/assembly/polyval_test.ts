import { assertEquals, assertThrows } from "@std/assert";
import { Kernels, MAXIMUM_COUNTER_BLOCKS, type Region } from "../../../../src/kernels/mod.ts";

const kernels = await Kernels.load();

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** A region that holds the bytes after some others, and before some. */
function regionOf(bytes: Uint8Array, start: number): Region {
  const region = kernels.allocate(start + bytes.length + 300);
  kernels.bytes(region).fill(0xee);
  kernels.bytes(region, start).set(bytes);
  return region;
}

/** The same bytes for the same seed. */
function noise(length: number, seed: number): Uint8Array {
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const POLYNOMIAL = (1n << 128n) | (1n << 127n) | (1n << 126n) | (1n << 121n) | 1n;

function elementOf(block: Uint8Array): bigint {
  return block.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** POLYVAL by its definition, in big integers. */
function slowPolyval(key: Uint8Array, data: Uint8Array, last: Uint8Array): Uint8Array {
  const dot = (a: bigint, b: bigint) => {
    let product = 0n;
    for (let bit = 0n; bit < 128n; bit++) if ((a >> bit) & 1n) product ^= b << bit;
    for (let bit = 0; bit < 128; bit++) {
      if (product & 1n) product ^= POLYNOMIAL;
      product >>= 1n;
    }
    return product;
  };
  let sum = 0n;
  for (let at = 0; at < data.length; at += 16) {
    sum = dot(sum ^ elementOf(data.subarray(at, at + 16)), elementOf(key));
  }
  sum = dot(sum ^ elementOf(last), elementOf(key));
  return Uint8Array.from({ length: 16 }, (_, i) => Number((sum >> BigInt(8 * i)) & 255n));
}

Deno.test("polyval() gives what RFC 8452, appendix A, does", () => {
  const data = regionOf(bytesOf("4f4f95668c83dfb6401762bb2d01a262"), 0);
  const key = bytesOf("25629347589242761d31f826ba4b757b");
  const last = bytesOf("d1a24ddd2721d006bbe45f20d3c9f362");
  assertEquals(
    kernels.polyval(key, data, 0, 16, last),
    bytesOf("f7a3b47b846119fae5b7866cf5e5b77e"),
  );
  kernels.free(data);
});

Deno.test("polyval() follows its definition for data of any length", () => {
  const lengths = [0, 1, 15, 16, 17, 31, 32, 33, 1000, 4096, 4097];
  // Around whole groups of sixteen blocks, of which the last is not data.
  for (const group of [1, 2, 3]) {
    for (const off of [-17, -16, -15, -1, 0, 1, 15, 16, 17]) lengths.push(256 * group + off);
  }
  for (const length of lengths) {
    for (const start of [0, 5]) {
      const key = noise(16, length);
      const last = noise(16, length + 1);
      const data = noise(length, length + 2);
      const region = regionOf(data, start);
      assertEquals(
        kernels.polyval(key, region, start, start + length, last),
        slowPolyval(key, data, last),
        `${length} bytes`,
      );
      kernels.free(region);
    }
  }
});

Deno.test("polyval() takes keys and blocks at the ends of their range", () => {
  const zeros = new Uint8Array(16);
  const ones = new Uint8Array(16).fill(0xff);
  const data = new Uint8Array(1000).fill(0xff);
  const region = regionOf(data, 0);
  for (const key of [zeros, ones, zeros.with(0, 1), zeros.with(15, 0x80)]) {
    for (const last of [zeros, ones]) {
      assertEquals(kernels.polyval(key, region, 0, 1000, last), slowPolyval(key, data, last));
    }
  }
  kernels.free(region);
});

Deno.test("polyval() refuses keys and blocks of other lengths", () => {
  const region = regionOf(new Uint8Array(32), 0);
  const block = new Uint8Array(16);
  assertThrows(() => kernels.polyval(new Uint8Array(15), region, 0, 16, block), RangeError);
  assertThrows(() => kernels.polyval(block, region, 0, 16, new Uint8Array(17)), RangeError);
  assertThrows(() => kernels.polyval(block, region, 0, region.length + 1, block), RangeError);
  kernels.free(region);
});

Deno.test("counterBlocks() counts the first four bytes, little endian, and wraps", () => {
  const initial = bytesOf("feffffff000102030405060708090a8b");
  const rest = "000102030405060708090a8b";
  const counted = (firsts: string[]) => bytesOf(firsts.map((first) => first + rest).join(""));
  assertEquals(
    kernels.counterBlocks(initial, 0, 4).slice(),
    counted(["feffffff", "ffffffff", "00000000", "01000000"]),
  );
  assertEquals(kernels.counterBlocks(initial, 259, 1).slice(), counted(["01010000"]));
  assertEquals(kernels.counterBlocks(initial, 0, 0).length, 0);
  assertEquals(
    kernels.counterBlocks(initial, 0, MAXIMUM_COUNTER_BLOCKS).length,
    16 * MAXIMUM_COUNTER_BLOCKS,
  );
  assertThrows(() => kernels.counterBlocks(initial, 0, MAXIMUM_COUNTER_BLOCKS + 1), RangeError);
  assertThrows(() => kernels.counterBlocks(new Uint8Array(12), 0, 1), RangeError);
});

Deno.test("xor() combines any length, and may move it towards the begin", () => {
  for (const length of [0, 1, 15, 16, 17, 100, 65536]) {
    for (const distance of [0, 1, 12, 16, 40]) {
      const data = noise(length, 1);
      const key = noise(length + 3, 2);
      const region = regionOf(data, 40);
      kernels.xor(region, 40, 40 + length, key, region, 40 - distance);
      const end = 40 - distance + length;
      assertEquals(
        kernels.bytes(region, 40 - distance, end).slice(),
        data.map((byte, i) => byte ^ key[i]!),
      );
      assertEquals(kernels.bytes(region)[Math.max(end, 40 + length)], 0xee);
      kernels.free(region);
    }
  }
});

Deno.test("xor() refuses a key stream that is too short, and ranges outside of a region", () => {
  const region = regionOf(new Uint8Array(32), 0);
  const key = new Uint8Array(20);
  assertThrows(() => kernels.xor(region, 0, 21, key, region, 0), RangeError);
  assertThrows(() => kernels.xor(region, 0, 20, key, region, region.length - 19), RangeError);
  const long = new Uint8Array(1 << 20);
  assertThrows(() => kernels.xor(region, 0, long.length, long, region, 0), RangeError);
  kernels.free(region);
});
