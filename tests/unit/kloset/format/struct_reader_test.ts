import { assert, assertEquals, assertThrows } from "@std/assert";
import { FormatError, ZERO_TIME_NS } from "../../../../src/kloset/format/mod.ts";
import { StructReader } from "../../../../src/kloset/format/struct_reader.ts";
import { hex } from "./_vectors.ts";

/** A struct of one field `f` with the given encoding. */
function field(value: string): StructReader {
  return StructReader.fromBytes(hex("81a166" + value), ["f"], "test");
}

Deno.test("StructReader accepts any integer code for any integer field", () => {
  const codes = [
    "05",
    "cc05",
    "cd0005",
    "ce00000005",
    "cf0000000000000005",
    "d005",
    "d10005",
    "d200000005",
    "d30000000000000005",
  ];
  for (const code of codes) {
    assertEquals(field(code).uint("f", 8), 5);
    assertEquals(field(code).int("f"), 5);
    assertEquals(field(code).size("f"), 5);
    assertEquals(field(code).uint64("f"), 5n);
    assertEquals(field(code).int64("f"), 5n);
    assertEquals(field(code).float("f"), 5);
  }
  for (const code of ["ff", "d0ff", "d1ffff", "d2ffffffff", "d3ffffffffffffffff"]) {
    assertEquals(field(code).int("f"), -1);
    assertEquals(field(code).int64("f"), -1n);
    assertThrows(() => field(code).uint("f", 32), FormatError);
    assertThrows(() => field(code).size("f"), FormatError);
    assertThrows(() => field(code).uint64("f"), FormatError);
  }
});

Deno.test("StructReader keeps 64-bit integers exact, or refuses them as a number", () => {
  const most = field("cfffffffffffffffff");
  assertEquals(most.uint64("f"), 2n ** 64n - 1n);
  assertThrows(() => most.size("f"), FormatError, "test.f: 18446744073709551615 is too large");
  assertThrows(() => most.int64("f"), FormatError);
  assertEquals(field("d38000000000000000").int64("f"), -(2n ** 63n));
  assertEquals(field("cf001fffffffffffff").size("f"), Number.MAX_SAFE_INTEGER);
  assertThrows(() => field("cf0020000000000000").size("f"), FormatError);
  assertThrows(() => field("cd0100").uint("f", 8), FormatError);
});

Deno.test("StructReader takes nil and missing keys for zero values", () => {
  for (const fields of [field("c0"), StructReader.fromBytes(hex("80"), ["f"], "test")]) {
    assertEquals(fields.uint("f", 32), 0);
    assertEquals(fields.uint64("f"), 0n);
    assertEquals(fields.float("f"), 0);
    assertEquals(fields.bool("f"), false);
    assertEquals(fields.string("f"), "");
    assertEquals(fields.bytes("f"), undefined);
    assertEquals(fields.mac("f"), new Uint8Array(32));
    assertEquals(fields.optionalMac("f"), undefined);
    assertEquals(fields.uuid("f"), new Uint8Array(16));
    assertEquals(fields.time("f"), ZERO_TIME_NS);
    assertEquals(fields.strings("f"), []);
    assertEquals(fields.struct("f", ["g"]).string("g"), "");
    assert(!fields.has("f"));
  }
});

Deno.test("StructReader takes str and bin for each other, as values and as keys", () => {
  for (const code of ["a26869", "d9026869", "da00026869", "c4026869", "c500026869"]) {
    assertEquals(field(code).string("f"), "hi");
    assertEquals(field(code).bytes("f"), hex("6869"));
  }
  assertEquals(StructReader.fromBytes(hex("81c4016605"), ["f"], "test").int("f"), 5);
});

Deno.test("StructReader ignores unknown keys of any kind", () => {
  const bytes = hex("84 a178 9281a17901c0 05 c3 c0 a0 a166 07");
  assertEquals(StructReader.fromBytes(bytes, ["f"], "test").int("f"), 7);
});

Deno.test("StructReader reads a struct that is an array of exactly its fields", () => {
  const fields = StructReader.fromBytes(hex("92 05 a26869"), ["number", "text"], "test");
  assertEquals(fields.int("number"), 5);
  assertEquals(fields.string("text"), "hi");
  assertThrows(() => StructReader.fromBytes(hex("91 05"), ["number", "text"], "test"), FormatError);
});

Deno.test("StructReader reads the three forms of timestamps", () => {
  assertEquals(field("d6ff6553f100").time("f"), 1_700_000_000_000_000_000n);
  assertEquals(field("c704ff6553f100").time("f"), 1_700_000_000_000_000_000n);
  assertEquals(field("d7ff1d6f34546553f100").time("f"), 1_700_000_000_123_456_789n);
  assertEquals(field("d7ff0000001600000000").time("f"), 2n ** 33n * 1_000_000_000n + 5n);
  assertEquals(field("c70cff00000000ffffffffffffffff").time("f"), -1_000_000_000n);
  assertEquals(field("c70cff00000000fffffff1886e0900").time("f"), ZERO_TIME_NS);
  assertThrows(() => field("d4ff00").time("f"), FormatError);
  assertThrows(() => field("d6006553f100").time("f"), FormatError);
  assertThrows(() => field("d7ffffffffff6553f100").time("f"), FormatError);
});

Deno.test("StructReader refuses values of another kind, naming the field", () => {
  for (
    const read of [
      () => field("a161").int("f"),
      () => field("cb3ff8000000000000").int("f"),
      () => field("05").string("f"),
      () => field("80").bytes("f"),
      () => field("05").bool("f"),
      () => field("c3").float("f"),
      () => field("05").time("f"),
      () => field("05").struct("f", []),
      () => field("80").strings("f"),
      () => field("91c3").strings("f"),
      () => field("c41f" + "00".repeat(31)).mac("f"),
      () => field("c40100").uuid("f"),
      () => field("a0").mac("f"),
    ]
  ) {
    assertThrows(read, FormatError, "test.f: ");
  }
});

Deno.test("StructReader replaces text that is not UTF-8 and keeps a byte order mark", () => {
  assertEquals(field("a3ff6161").string("f"), "\ufffdaa");
  assertEquals(field("a4efbbbf61").string("f"), "\ufeffa");
});

Deno.test("StructReader hands out copies", () => {
  const bytes = hex("81a166c40105");
  const value = StructReader.fromBytes(bytes, ["f"], "test").bytes("f");
  bytes.fill(0);
  assertEquals(value, hex("05"));
});
