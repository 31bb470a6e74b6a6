import { assertEquals, assertRejects } from "@std/assert";
import {
  exportPoint,
  generatePair,
  importPrivateKey,
  importPublicKey,
  sharedSecret,
} from "../../../../src/archive/encryption/_p256.ts";

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** The generator of the group: the public key that belongs to the scalar 1. */
const GENERATOR = hex(
  "04" +
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" +
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
);

function scalar(last: number): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes[31] = last;
  return bytes;
}

Deno.test("sharedSecret with the scalar 1 is the x coordinate of the other's point", async () => {
  const pair = await generatePair();
  const one = await importPrivateKey(scalar(1));
  const point = await exportPoint(pair.publicKey);
  assertEquals(new Uint8Array(await sharedSecret(one, pair.publicKey)), point.slice(1, 33));
  const generator = await importPublicKey(GENERATOR);
  assertEquals(new Uint8Array(await sharedSecret(pair.privateKey, generator)), point.slice(1, 33));
});

Deno.test("importPublicKey takes only uncompressed points of the curve", async () => {
  const beside = GENERATOR.slice();
  beside[64]! ^= 1;
  await assertRejects(() => importPublicKey(beside), RangeError, "point not on curve");
  const compressed = GENERATOR.slice(0, 33);
  await assertRejects(() => importPublicKey(compressed), RangeError, "uncompressed");
});

Deno.test("importPrivateKey takes scalars from 1 to the order less 1", async () => {
  const order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  for (const bad of [scalar(0), order, new Uint8Array(31)]) {
    await assertRejects(() => importPrivateKey(bad), RangeError, "scalar out of range");
  }
  const greatest = order.slice();
  greatest[31]! -= 1;
  assertEquals((await importPrivateKey(greatest)).type, "private");
});
