import { assertEquals } from "@std/assert";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  decodeObject,
  encodeObject,
  FormatError,
  type KlosetObject,
  macFromHex,
  macToHex,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import { blake3 } from "./_blake3.ts";
import { CONTENT_MAC, ENTROPY, MAC_KEY, OBJECT, OBJECT_MAC } from "./_vectors.ts";

const VALUE: KlosetObject = {
  version: VERSION_1_0_0,
  contentMac: macFromHex(CONTENT_MAC),
  chunks: [{
    version: VERSION_1_0_0,
    contentMac: macFromHex(CONTENT_MAC),
    length: 3_000_000,
    entropy: ENTROPY,
    flags: 0,
  }],
  contentType: "application/octet-stream",
  entropy: ENTROPY,
  flags: 0,
};

Deno.test("encodeObject writes the bytes and id that Go wrote", () => {
  assertEquals(encodeObject(VALUE), OBJECT);
  assertEquals(macToHex(blake3(MAC_KEY)(OBJECT)), OBJECT_MAC);
});

Deno.test("decodeObject reads the bytes that Go wrote", () => {
  assertEquals(decodeObject(OBJECT), VALUE);
});

Deno.test("encodeObject leaves an entropy of zero out", () => {
  const value = { ...VALUE, entropy: 0 };
  assertEquals(encodeObject(value).length, 215);
  assertEquals(decodeObject(encodeObject(value)), value);
});

Deno.test("decodeObject undoes encodeObject for many chunks", () => {
  const chunk = VALUE.chunks[0]!;
  const chunks = Array.from({ length: 70_000 }, (_, i) => ({ ...chunk, length: i }));
  const value = { ...VALUE, chunks };
  const decoded = decodeObject(encodeObject(value));
  assertEquals(decoded.chunks.length, chunks.length);
  assertEquals(decoded.chunks.at(-1), chunks.at(-1));
});

Deno.test("decodeObject survives damage", () => {
  assertFailsCleanly(OBJECT, decodeObject, FormatError);
});
