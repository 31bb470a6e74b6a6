import { assertEquals, assertThrows } from "@std/assert";
import { MsgpackWriter } from "../../../../src/kloset/format/msgpack_writer.ts";
import { toHex } from "./_vectors.ts";
import { ZERO_TIME_NS } from "../../../../src/kloset/format/mod.ts";

const SECOND = 1_000_000_000n;

function written(write: (writer: MsgpackWriter) => void): string {
  const writer = new MsgpackWriter();
  write(writer);
  return toHex(writer.finish());
}

const cases: [name: string, write: (writer: MsgpackWriter) => void, want: string][] = [
  ["int 0", (w) => w.int(0), "00"],
  ["int 127", (w) => w.int(127), "7f"],
  ["int 128", (w) => w.int(128), "cc80"],
  ["int 255", (w) => w.int(255), "ccff"],
  ["int 256", (w) => w.int(256), "cd0100"],
  ["int 65535", (w) => w.int(65535), "cdffff"],
  ["int 65536", (w) => w.int(65536), "ce00010000"],
  ["int 131072", (w) => w.int(131072), "ce00020000"],
  ["int 2^32", (w) => w.int(2 ** 32), "cf0000000100000000"],
  ["int -1", (w) => w.int(-1), "ff"],
  ["int -32", (w) => w.int(-32), "e0"],
  ["int -33", (w) => w.int(-33), "d0df"],
  ["int -128", (w) => w.int(-128), "d080"],
  ["int -129", (w) => w.int(-129), "d1ff7f"],
  ["int -32769", (w) => w.int(-32769), "d2ffff7fff"],
  ["int -2^31-1", (w) => w.int(-(2 ** 31) - 1), "d3ffffffff7fffffff"],
  ["uint8 1", (w) => w.uint8(1), "cc01"],
  ["uint16 1", (w) => w.uint16(1), "cd0001"],
  ["uint32 1", (w) => w.uint32(1), "ce00000001"],
  ["uint64 1", (w) => w.uint64(1), "cf0000000000000001"],
  ["uint64 2^64-1", (w) => w.uint64(2n ** 64n - 1n), "cfffffffffffffffff"],
  ["int64 -1", (w) => w.int64(-1), "d3ffffffffffffffff"],
  ["float 1.5", (w) => w.float64(1.5), "cb3ff8000000000000"],
  ["float 0", (w) => w.float64(0), "cb0000000000000000"],
  ["time 1700000000.0", (w) => w.time(1_700_000_000n * SECOND), "d6ff6553f100"],
  ["time with fraction", (w) => w.time(1_700_000_000_123_456_789n), "d7ff1d6f34546553f100"],
  ["time 2^33 s + 5 ns", (w) => w.time(2n ** 33n * SECOND + 5n), "d7ff0000001600000000"],
  ["time 2^32 s", (w) => w.time(2n ** 32n * SECOND), "d7ff0000000100000000"],
  ["time 2^34 s", (w) => w.time(2n ** 34n * SECOND), "c70cff000000000000000400000000"],
  ["time -1 s", (w) => w.time(-SECOND), "c70cff00000000ffffffffffffffff"],
  ["time -1 ns", (w) => w.time(-1n), "c70cff3b9ac9ffffffffffffffffff"],
  ["zero time", (w) => w.time(ZERO_TIME_NS), "c70cff00000000fffffff1886e0900"],
  ["nil bytes", (w) => w.bytes(undefined), "c0"],
  ["no bytes", (w) => w.bytes(new Uint8Array(0)), "c400"],
  ["empty array", (w) => w.array([], () => {}), "90"],
  ["nil UUID", (w) => w.bytes(new Uint8Array(16)), "c410" + "00".repeat(16)],
  ["MAC", (w) => w.mac(new Uint8Array(32)), "c420" + "00".repeat(32)],
  ["true", (w) => w.bool(true), "c3"],
  ["false", (w) => w.bool(false), "c2"],
  ["empty string", (w) => w.string(""), "a0"],
  ["UTF-8 string", (w) => w.string("é"), "a2c3a9"],
  [
    "struct without left out pairs",
    (w) => w.struct([["a", (w) => w.nil()], false, ["b", (w) => w.bool(true)]]),
    "82a161c0a162c3",
  ],
];

for (const [name, write, want] of cases) {
  Deno.test(`MsgpackWriter writes ${name} as Go does`, () => assertEquals(written(write), want));
}

Deno.test("MsgpackWriter chooses the header of strings, bytes, arrays and maps by length", () => {
  const lengths: [length: number, str: string, bin: string, array: string, map: string][] = [
    [15, "af", "c40f", "9f", "8f"],
    [16, "b0", "c410", "dc0010", "de0010"],
    [31, "bf", "c41f", "dc001f", "de001f"],
    [32, "d920", "c420", "dc0020", "de0020"],
    [255, "d9ff", "c4ff", "dc00ff", "de00ff"],
    [256, "da0100", "c50100", "dc0100", "de0100"],
    [65535, "daffff", "c5ffff", "dcffff", "deffff"],
    [65536, "db00010000", "c600010000", "dd00010000", "df00010000"],
  ];
  for (const [length, str, bin, array, map] of lengths) {
    assertEquals(written((w) => w.string("a".repeat(length))), str + "61".repeat(length));
    assertEquals(written((w) => w.bytes(new Uint8Array(length))), bin + "00".repeat(length));
    assertEquals(written((w) => w.arrayHeader(length)), array);
    assertEquals(written((w) => w.mapHeader(length)), map);
  }
});

Deno.test("MsgpackWriter refuses values that their type cannot hold", () => {
  for (
    const write of [
      (w: MsgpackWriter) => w.uint8(256),
      (w: MsgpackWriter) => w.uint16(-1),
      (w: MsgpackWriter) => w.uint32(2 ** 32),
      (w: MsgpackWriter) => w.uint32(0.5),
      (w: MsgpackWriter) => w.uint64(-1n),
      (w: MsgpackWriter) => w.uint64(2n ** 64n),
      (w: MsgpackWriter) => w.uint64(2 ** 53),
      (w: MsgpackWriter) => w.int64(2n ** 63n),
      (w: MsgpackWriter) => w.int(NaN),
      (w: MsgpackWriter) => w.mac(new Uint8Array(31)),
    ]
  ) {
    assertThrows(() => write(new MsgpackWriter()), RangeError);
  }
});
