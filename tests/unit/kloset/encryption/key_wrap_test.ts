import { assertEquals } from "@std/assert";
import { unwrapKey, wrapKey } from "../../../../src/kloset/encryption/key_wrap.ts";
import { bytesOf } from "../_hex.ts";

const WRAPPING_KEY = bytesOf("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");

/** RFC 3394, sections 4.3, 4.5 and 4.6. */
const VECTORS = [
  {
    key: "00112233445566778899AABBCCDDEEFF",
    wrapped: "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7",
  },
  {
    key: "00112233445566778899AABBCCDDEEFF0001020304050607",
    wrapped: "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1",
  },
  {
    key: "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
    wrapped: "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
  },
];

Deno.test("keys are wrapped as in RFC 3394, and unwrapped", () => {
  for (const { key, wrapped } of VECTORS) {
    assertEquals(wrapKey(WRAPPING_KEY, bytesOf(key)), bytesOf(wrapped));
    assertEquals(unwrapKey(WRAPPING_KEY, bytesOf(wrapped)), bytesOf(key));
  }
});

Deno.test("a wrapped key is refused with any bit flipped, and with another wrapping key", () => {
  const wrapped = bytesOf(VECTORS[2]!.wrapped);
  for (let bit = 0; bit < 8 * wrapped.length; bit++) {
    const flipped = wrapped.with(bit >> 3, wrapped[bit >> 3]! ^ (1 << (bit & 7)));
    assertEquals(unwrapKey(WRAPPING_KEY, flipped), undefined, `bit ${bit}`);
  }
  assertEquals(unwrapKey(WRAPPING_KEY.with(31, 0), wrapped), undefined);
});
