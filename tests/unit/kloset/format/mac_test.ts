import { assert, assertEquals, assertThrows } from "@std/assert";
import { assert as property, property as forAll, uint8Array } from "fast-check";
import {
  FormatError,
  isNilMac,
  macFromHex,
  macsEqual,
  macToHex,
  NIL_MAC,
} from "../../../../src/kloset/format/mod.ts";
import { blake3 } from "./_blake3.ts";
import { EMPTY_NODE, EMPTY_NODE_MAC, hex, MAC_KEY, REPOSITORY_ID } from "./_vectors.ts";
import { uuidFromString } from "../../../../src/kloset/format/uuid.ts";

Deno.test("macFromHex undoes macToHex", () => {
  property(
    forAll(uint8Array({ minLength: 32, maxLength: 32 }), (mac) => {
      assertEquals(macFromHex(macToHex(mac)), mac);
      assertEquals(macFromHex(macToHex(mac).toUpperCase()), mac);
      assertEquals(macToHex(mac), macToHex(mac).toLowerCase());
    }),
  );
});

Deno.test("macFromHex refuses text that is not 64 digits", () => {
  for (const text of ["", "00", "g".repeat(64), "0".repeat(63), "0".repeat(66), " ".repeat(64)]) {
    assertThrows(() => macFromHex(text), FormatError);
  }
});

Deno.test("macsEqual compares every byte and the length", () => {
  const mac = new Uint8Array(32).fill(7);
  assert(macsEqual(mac, mac.slice()));
  assert(!macsEqual(mac, mac.subarray(1)));
  for (let i = 0; i < mac.length; i++) {
    const other = mac.slice();
    other[i] = 8;
    assert(!macsEqual(mac, other));
  }
});

Deno.test("isNilMac knows only zeros", () => {
  assert(isNilMac(NIL_MAC));
  const mac = new Uint8Array(32);
  mac[31] = 1;
  assert(!isNilMac(mac));
});

Deno.test("the repository MAC is the one of the Go library", () => {
  assertEquals(blake3()(uuidFromString(REPOSITORY_ID)), MAC_KEY);
  const mac = blake3(MAC_KEY);
  assertEquals(
    macToHex(mac(new Uint8Array(0))),
    "dc0fb277d7a24eabc5f3df09cbf155f09dabda8579b6bd9768fc1eb492329958",
  );
  assertEquals(
    macToHex(mac(hex("616263"))),
    "6987fadcc42a6fd7a651963879328c40d490bb77f8e5f35033e668d6504c1b47",
  );
  assertEquals(macToHex(mac(EMPTY_NODE)), EMPTY_NODE_MAC);
});
