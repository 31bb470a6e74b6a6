import { assertEquals, assertThrows } from "@std/assert";
import {
  array,
  assert as property,
  bigInt,
  nat,
  property as forAll,
  record,
  uint8Array,
} from "fast-check";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  decodePackfileFooter,
  decodePackfileIndex,
  encodePackfileFooter,
  encodePackfileIndex,
  FormatError,
  locatePackfileFooter,
  type PackfileFooter,
  type PackfileRecord,
  ResourceType,
  slicePackfileIndex,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import { blake3 } from "./_blake3.ts";
import { hex } from "./_vectors.ts";

const mac = blake3(new Uint8Array(32));
const anyMac = uint8Array({ minLength: 32, maxLength: 32 });
const anyRecord = record({
  type: nat(255),
  version: nat(),
  mac: anyMac,
  offset: nat(2 ** 30),
  length: nat(2 ** 24),
  flags: nat(),
});

function footerOf(index: Uint8Array, indexOffset: number): PackfileFooter {
  return {
    timestampNs: 1_700_000_000_123_456_789n,
    count: index.length / 56,
    indexOffset,
    indexMac: mac(index),
    flags: 0,
  };
}

const RECORD: PackfileRecord = {
  type: ResourceType.CHUNK,
  version: VERSION_1_0_0,
  mac: new Uint8Array(32).fill(0xab),
  offset: 0x1122334455,
  length: 0x10203040,
  flags: 0,
};

Deno.test("encodePackfileIndex writes 56-byte little-endian records", () => {
  assertEquals(
    encodePackfileIndex([RECORD]),
    hex(`09000000 00000100 ${"ab".repeat(32)} 5544332211000000 40302010 00000000`),
  );
});

Deno.test("encodePackfileFooter writes 56 little-endian bytes", () => {
  assertEquals(
    encodePackfileFooter({
      timestampNs: -2n,
      count: 3,
      indexOffset: 0x1122334455,
      indexMac: new Uint8Array(32).fill(0xcd),
      flags: 0,
    }),
    hex(`feffffffffffffff 03000000 5544332211000000 ${"cd".repeat(32)} 00000000`),
  );
});

Deno.test("decodePackfileIndex undoes encodePackfileIndex", () => {
  property(forAll(array(anyRecord), (records) => {
    const index = encodePackfileIndex(records);
    assertEquals(decodePackfileIndex(index, footerOf(index, 2 ** 40), mac), records);
  }));
});

Deno.test("decodePackfileFooter undoes encodePackfileFooter", () => {
  const anyFooter = record({
    timestampNs: bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    count: nat(),
    indexOffset: nat(2 ** 30),
    indexMac: anyMac,
    flags: nat(),
  });
  property(forAll(anyFooter, (footer) => {
    assertEquals(decodePackfileFooter(encodePackfileFooter(footer)), footer);
  }));
});

Deno.test("decodePackfileIndex checks the count, the MAC and the end of each blob", () => {
  const index = encodePackfileIndex([{ ...RECORD, offset: 10, length: 5 }]);
  const footer = footerOf(index, 15);
  assertEquals(decodePackfileIndex(index, footer, mac).length, 1);
  const failure = (changes: Partial<PackfileFooter>) =>
    assertThrows(() => decodePackfileIndex(index, { ...footer, ...changes }, mac), FormatError);
  assertEquals(failure({ count: 2 }).reason, "malformed");
  assertEquals(failure({ indexMac: new Uint8Array(32) }).reason, "checksum");
  assertEquals(failure({ indexOffset: 14 }).message.includes("ends at 15"), true);
});

Deno.test("decodePackfileIndex refuses offsets that a number cannot hold", () => {
  const index = encodePackfileIndex([RECORD]);
  index.fill(0xff, 40, 48);
  assertThrows(() => decodePackfileIndex(index, footerOf(index, 2 ** 50), mac), FormatError);
});

Deno.test("locatePackfileFooter and slicePackfileIndex take a body apart", () => {
  const body = hex("1111" + "aaaaaa" + "bbbb" + "02000000");
  const { encodedFooter, start } = locatePackfileFooter(body);
  assertEquals(encodedFooter, hex("bbbb"));
  const footer = footerOf(new Uint8Array(0), 2);
  assertEquals(slicePackfileIndex(body, footer, start), hex("aaaaaa"));
  assertThrows(() => slicePackfileIndex(body, { ...footer, indexOffset: 6 }, start), FormatError);
  assertThrows(() => locatePackfileFooter(hex("bbbb 03000000")), FormatError);
  assertThrows(() => locatePackfileFooter(hex("0000")), FormatError);
});

Deno.test("packfile decoders survive damage", () => {
  const index = encodePackfileIndex([RECORD, { ...RECORD, offset: 5 }]);
  const footer = footerOf(index, 2 ** 40);
  assertFailsCleanly(index, (bytes) => decodePackfileIndex(bytes, footer, mac), FormatError);
  // Without the MAC's protection, too.
  assertFailsCleanly(
    index,
    (bytes) => decodePackfileIndex(bytes, { ...footer, indexMac: mac(bytes) }, mac),
    FormatError,
  );
  assertFailsCleanly(encodePackfileFooter(footer), decodePackfileFooter, FormatError);
});
