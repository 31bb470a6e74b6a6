import { assertEquals, assertThrows } from "@std/assert";
import { assert as property, property as forAll, uint8Array } from "fast-check";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  decodeEnvelopeHeader,
  encodeEnvelope,
  encodeEnvelopeHeader,
  FormatError,
  openEnvelope,
  ResourceType,
  splitEnvelope,
  verifyEnvelope,
  VERSION_1_0_0,
  VERSION_1_1_0,
} from "../../../../src/kloset/format/mod.ts";
import { blake3 } from "./_blake3.ts";
import { hex, STATE_FILE, STATE_MAC_KEY } from "./_vectors.ts";

const { STATE, LOCK } = ResourceType;
const mac = blake3(STATE_MAC_KEY);

function reasonOf(action: () => unknown): string {
  return assertThrows(action, FormatError).reason;
}

Deno.test("encodeEnvelopeHeader writes magic, type and version", () => {
  assertEquals(encodeEnvelopeHeader(STATE, VERSION_1_1_0), STATE_FILE.slice(0, 16));
});

Deno.test("openEnvelope opens a file that Go wrote", () => {
  const { version, payload } = openEnvelope(STATE_FILE, STATE, VERSION_1_1_0, mac);
  assertEquals(version, VERSION_1_1_0);
  assertEquals(payload, STATE_FILE.slice(16, -32));
  assertEquals(encodeEnvelope(STATE, VERSION_1_1_0, payload, mac), STATE_FILE);
});

Deno.test("openEnvelope undoes encodeEnvelope", () => {
  property(forAll(uint8Array(), (payload) => {
    const file = encodeEnvelope(LOCK, VERSION_1_0_0, payload, mac);
    assertEquals(openEnvelope(file, LOCK, VERSION_1_0_0, mac).payload, payload);
  }));
});

Deno.test("openEnvelope accepts the old magic and lower versions", () => {
  const file = encodeEnvelope(STATE, VERSION_1_0_0, hex("01"), mac);
  file.set(new TextEncoder().encode("_PLAKAR_"));
  file.set(mac(file.subarray(0, -32)), file.length - 32);
  assertEquals(openEnvelope(file, STATE, VERSION_1_1_0, mac).version, VERSION_1_0_0);
});

Deno.test("openEnvelope tells apart what is wrong", () => {
  const damaged = STATE_FILE.slice();
  damaged[20] = 0;
  const foreign = STATE_FILE.slice();
  foreign[0] = 0;
  const open = (file: Uint8Array, type: number = STATE, version = VERSION_1_1_0) =>
    reasonOf(() => openEnvelope(file, type, version, mac));
  assertEquals(open(damaged), "checksum");
  assertEquals(open(foreign), "magic");
  assertEquals(open(STATE_FILE, STATE, VERSION_1_0_0), "version");
  assertEquals(open(STATE_FILE, LOCK), "malformed");
  assertEquals(open(STATE_FILE.slice(0, 47)), "malformed");
  assertEquals(open(new Uint8Array(0)), "malformed");
  assertEquals(reasonOf(() => verifyEnvelope(new Uint8Array(47), mac)), "malformed");
  assertEquals(reasonOf(() => decodeEnvelopeHeader(new Uint8Array(15))), "malformed");
});

Deno.test("openEnvelope refuses every truncation and every flipped bit", () => {
  for (let bit = 0; bit < 8 * STATE_FILE.length; bit++) {
    const file = STATE_FILE.slice();
    file[bit >>> 3] = (file[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
    assertThrows(() => openEnvelope(file, STATE, VERSION_1_1_0, mac), FormatError);
  }
  assertFailsCleanly(
    STATE_FILE,
    (file) => openEnvelope(file, STATE, VERSION_1_1_0, mac),
    FormatError,
  );
});

Deno.test("splitEnvelope does not look at the footer", () => {
  const file = STATE_FILE.slice();
  file.fill(0, -32);
  assertEquals(splitEnvelope(file, STATE, VERSION_1_1_0).payload, STATE_FILE.slice(16, -32));
});
