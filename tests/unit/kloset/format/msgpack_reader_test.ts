import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../../../../src/kloset/format/mod.ts";
import { decodeMessage } from "../../../../src/kloset/format/msgpack_reader.ts";
import { encodeStruct, type MsgpackWriter } from "../../../../src/kloset/format/msgpack_writer.ts";
import { StructReader } from "../../../../src/kloset/format/struct_reader.ts";
import { hex } from "./_vectors.ts";

Deno.test("decodeMessage refuses lengths beyond the bytes without reserving room for them", () => {
  for (
    const bytes of [
      "ddffffffff", // array of 2^32-1
      "dfffffffff", // map of 2^32-1
      "dbffffffff", // string
      "c6ffffffff", // binary
      "c9ffffffffff", // extension
      "ddffffffff".repeat(100_000),
      "dc7fff".repeat(20),
      "8f",
      "",
    ]
  ) {
    assertThrows(() => decodeMessage(hex(bytes), "test"), FormatError, "cut short");
  }
});

Deno.test("decodeMessage refuses deep nesting, invalid codes and trailing bytes", () => {
  assertThrows(() => decodeMessage(hex("91".repeat(1000) + "c0"), "test"), FormatError, "nested");
  assertThrows(() => decodeMessage(hex("c1"), "test"), FormatError, "invalid code");
  assertThrows(() => decodeMessage(hex("c0c0"), "test"), FormatError, "1 bytes follow");
  assertThrows(() => decodeMessage(hex("81a95f5f70726f746f5f5f01"), "test"), FormatError);
  assertEquals(decodeMessage(hex("91".repeat(31) + "c0"), "test") !== null, true);
});

Deno.test("decodeMessage is not fooled by keys that every object has", () => {
  const names = ["constructor", "toString", "hasOwnProperty"];
  const fields = StructReader.fromBytes(hex("80"), names, "test");
  for (const name of names) assertEquals(fields.string(name), "");
});

Deno.test("decodeMessage reads shared memory", () => {
  const text = encodeStruct([[
    "f",
    (w: MsgpackWriter) => w.string("a longer text, é ".repeat(20)),
  ]]);
  const shared = new Uint8Array(new SharedArrayBuffer(text.length));
  shared.set(text);
  assertEquals(
    StructReader.fromBytes(shared, ["f"], "test").string("f"),
    "a longer text, é ".repeat(20),
  );
});
