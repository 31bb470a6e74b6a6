import { createCipheriv } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import { GcmSiv } from "../../../../src/kloset/encryption/gcm_siv.ts";
import { bytesOf } from "../_hex.ts";

const kernels = await Kernels.load();

interface Vector {
  readonly key: string;
  readonly nonce: string;
  readonly plain: string;
  /** Ciphertext and tag. */
  readonly result: string;
}

const ONE = { key: `01${"00".repeat(31)}`, nonce: `03${"00".repeat(11)}` };
const ZERO = { key: "00".repeat(32), nonce: "00".repeat(12) };
const blocks = (...numbers: number[]) =>
  numbers.map((number) => `0${number}${"00".repeat(15)}`).join("");

/** RFC 8452, appendix C.2: those without additional data; and C.3, where the counter wraps. */
const VECTORS: readonly Vector[] = [
  { ...ONE, plain: "", result: "07f5f4169bbf55a8400cd47ea6fd400f" },
  {
    ...ONE,
    plain: "0100000000000000",
    result: "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28",
  },
  {
    ...ONE,
    plain: "010000000000000000000000",
    result: "9aab2aeb3faa0a34aea8e2b18ca50da9ae6559e48fd10f6e5c9ca17e",
  },
  {
    ...ONE,
    plain: blocks(1),
    result: "85a01b63025ba19b7fd3ddfc033b3e76c9eac6fa700942702e90862383c6c366",
  },
  {
    ...ONE,
    plain: blocks(1, 2),
    result: "4a6a9db4c8c6549201b9edb53006cba821ec9cf850948a7c86c68ac7539d027f" +
      "e819e63abcd020b006a976397632eb5d",
  },
  {
    ...ONE,
    plain: blocks(1, 2, 3),
    result: "c00d121893a9fa603f48ccc1ca3c57ce7499245ea0046db16c53c7c66fe717e3" +
      "9cf6c748837b61f6ee3adcee17534ed5790bc96880a99ba804bd12c0e6a22cc4",
  },
  {
    ...ONE,
    plain: blocks(1, 2, 3, 4),
    result: "c2d5160a1f8683834910acdafc41fbb1632d4a353e8b905ec9a5499ac34f96c7" +
      "e1049eb080883891a4db8caaa1f99dd004d80487540735234e3744512c6f90ce" +
      "112864c269fc0d9d88c61fa47e39aa08",
  },
  {
    key: "e66021d5eb8e4f4066d4adb9c33560e4f46e44bb3da0015c94f7088736864200",
    nonce: "e0eaf5284d884a0e77d31646",
    plain: "",
    result: "169fbb2fbf389a995f6390af22228a62",
  },
  {
    ...ZERO,
    plain: "000000000000000000000000000000004db923dc793ee6497c76dcc03a98e108",
    result: "f3f80f2cf0cb2dd9c5984fcda908456cc537703b5ba70324a6793a7bf218d3ea" +
      "ffffffff000000000000000000000000",
  },
  {
    ...ZERO,
    plain: "eb3640277c7ffd1303c7a542d02d3e4c0000000000000000",
    result: "18ce4f0b8cb4d0cac65fea8f79257b20888e53e72299e56d" +
      "ffffffff000000000000000000000000",
  },
];

Deno.test("AES-256-GCM-SIV gives what RFC 8452 does, in place and moved", () => {
  for (const { key, nonce, plain, result } of VECTORS) {
    using cipher = new GcmSiv(kernels, bytesOf(key));
    const bytes = bytesOf(plain);
    const region = kernels.allocate(bytes.length + 100);
    for (const [start, at] of [[0, 0], [28, 12], [50, 3]] as const) {
      kernels.bytes(region, start).set(bytes);
      const tag = cipher.encrypt(bytesOf(nonce), region, start, start + bytes.length, at);
      const text = kernels.bytes(region, at, at + bytes.length).slice();
      assertEquals(Uint8Array.from([...text, ...tag]), bytesOf(result));
      kernels.bytes(region, start).set(text);
      assert(cipher.decrypt(bytesOf(nonce), tag, region, start, start + bytes.length, at));
      assertEquals(kernels.bytes(region, at, at + bytes.length).slice(), bytes);
    }
    kernels.free(region);
  }
});

Deno.test("AES-256-GCM-SIV decrypts nothing that is not as it was encrypted", () => {
  const key = bytesOf(ONE.key);
  const nonce = bytesOf(ONE.nonce);
  const plain = Uint8Array.from({ length: 50 }, (_, i) => i);
  const region = kernels.allocate(plain.length);
  kernels.bytes(region).set(plain);
  using cipher = new GcmSiv(kernels, key);
  const tag = cipher.encrypt(nonce, region, 0, plain.length, 0);
  const text = kernels.bytes(region).slice(0, plain.length);
  const opens = (key: Uint8Array, nonce: Uint8Array, text: Uint8Array, tag: Uint8Array) => {
    kernels.bytes(region).set(text);
    using cipher = new GcmSiv(kernels, key);
    const isSound = cipher.decrypt(nonce, tag, region, 0, text.length, 0);
    const left = kernels.bytes(region, 0, text.length).slice();
    assertEquals(left, isSound ? plain : new Uint8Array(text.length));
    return isSound;
  };
  assert(opens(key, nonce, text, tag));
  const flips = (bytes: Uint8Array) =>
    Array.from(bytes, (byte, i) => bytes.with(i, byte ^ (1 << (i % 8))));
  for (const flipped of flips(key)) assert(!opens(flipped, nonce, text, tag));
  for (const flipped of flips(nonce)) assert(!opens(key, flipped, text, tag));
  for (const flipped of flips(text)) assert(!opens(key, nonce, flipped, tag));
  for (const flipped of flips(tag)) assert(!opens(key, nonce, text, flipped));
  assert(!opens(key, nonce, text.subarray(0, -1), tag));
  kernels.free(region);
});

/** Block of the key stream by the letter of RFC 8452, section 4. */
function streamBlock(
  key: Uint8Array,
  nonce: Uint8Array,
  tag: Uint8Array,
  block: number,
): Uint8Array {
  const encrypt = (key: Uint8Array, block: Uint8Array) => {
    const cipher = createCipheriv("aes-256-ecb", key, new Uint8Array(0));
    cipher.setAutoPadding(false);
    const encrypted = Uint8Array.from(cipher.update(block));
    cipher.final();
    return encrypted;
  };
  const half = (number: number) =>
    encrypt(key, Uint8Array.from([number, 0, 0, 0, ...nonce])).subarray(0, 8);
  const counter = tag.slice();
  counter[15]! |= 0x80;
  const view = new DataView(counter.buffer);
  view.setUint32(0, view.getUint32(0, true) + block, true);
  return encrypt(Uint8Array.from([2, 3, 4, 5].flatMap((number) => [...half(number)])), counter);
}

Deno.test("AES-256-GCM-SIV encrypts more than one run of the key stream", () => {
  const length = 200_000;
  const plain = Uint8Array.from({ length }, (_, i) => (i * 31) >> 3);
  const region = kernels.allocate(length + 20);
  using cipher = new GcmSiv(kernels, bytesOf(ONE.key));
  const nonce = bytesOf(ONE.nonce);
  kernels.bytes(region, 20).set(plain);
  const tag = cipher.encrypt(nonce, region, 20, 20 + length, 0);
  const text = kernels.bytes(region, 0, length).slice();
  for (const block of [0, 1, 4095, 4096, 4097, 8191, 8192, 12_499]) {
    const stream = streamBlock(bytesOf(ONE.key), nonce, tag, block);
    const at = 16 * block;
    assertEquals(
      text.slice(at, at + 16),
      plain.slice(at, at + 16).map((byte, i) => byte ^ stream[i]!),
      `block ${block}`,
    );
  }
  assert(cipher.decrypt(nonce, tag, region, 0, length, 0));
  assertEquals(kernels.bytes(region, 0, length).slice(), plain);
  kernels.free(region);
});
