import { assertEquals, assertThrows } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import {
  DecryptionError,
  decryptUnit,
  encryptionOverhead,
  encryptUnit,
  type UnitEncryption,
} from "../../../../src/kloset/encryption/mod.ts";
import { bytesOf } from "../_hex.ts";

const kernels = await Kernels.load();

/** Of a repository that the Go library made (format reference, appendix B.8). */
const ENCRYPTION: UnitEncryption = {
  key: bytesOf("7c4b85c1979ec2f06d001ef1a4f82c9fe4067fd0373bd6f8fc1245bc49c3bc98"),
  pieceBytes: 65_536,
};

const SMALL: UnitEncryption = { ...ENCRYPTION, pieceBytes: 50 };

function encrypted(plain: Uint8Array, encryption: UnitEncryption): Uint8Array {
  const start = encryptionOverhead(plain.length, encryption);
  const region = kernels.allocate(start + plain.length);
  kernels.bytes(region, start).set(plain);
  const length = encryptUnit(kernels, encryption, region, start, plain.length);
  const unit = kernels.bytes(region, 0, length).slice();
  kernels.free(region);
  return unit;
}

/** Decrypts a unit that lies somewhere in a region. */
function decrypted(unit: Uint8Array, encryption: UnitEncryption): Uint8Array {
  const region = kernels.allocate(unit.length + 100);
  try {
    kernels.bytes(region).fill(0xee);
    kernels.bytes(region, 33).set(unit);
    const length = decryptUnit(kernels, encryption, region, 33, 33 + unit.length);
    assertEquals(kernels.bytes(region, 33 + unit.length).every((byte) => byte === 0xee), true);
    return kernels.bytes(region, 33, 33 + length).slice();
  } finally {
    kernels.free(region);
  }
}

function text(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7) >> 2);
}

Deno.test("the canary of a repository of the Go library decrypts", () => {
  const canary = bytesOf(
    `f42b72fe1346d9bc75b43cd15f4387d66e74b61e56ad12bd0429d88a39d0666d3e928728d1b820cb2295d4d36f6dba17
     d97dba587633861514d6c84e92785bf29c624188f08a60a7242bcd662e5a2ae11970d6baa69da7c1b6036379e58d6636
     656cda41`,
  );
  assertEquals(
    decrypted(canary, ENCRYPTION),
    bytesOf("c43430a027cfb9b12130a59ce8f6889a36976ffb1eeb9d908d0693707c1ec3ca"),
  );
});

Deno.test("units of any length come back, and have the length that was foretold", () => {
  for (const encryption of [ENCRYPTION, SMALL]) {
    const { pieceBytes } = encryption;
    for (
      const length of [0, 1, 49, 50, 51, 100, 101, pieceBytes - 1, pieceBytes, 3 * pieceBytes + 5]
    ) {
      const plain = text(length);
      const unit = encrypted(plain, encryption);
      assertEquals(unit.length, 40 + length + 28 * Math.ceil(length / pieceBytes));
      assertEquals(unit.length, length + encryptionOverhead(length, encryption));
      assertEquals(decrypted(unit, encryption), plain, `${length} bytes`);
    }
  }
});

Deno.test("equal contents become units that have nothing in common", () => {
  const first = encrypted(text(200), SMALL);
  const second = encrypted(text(200), SMALL);
  // Of 16-byte windows by chance none is equal.
  const windows = new Set(Array.from({ length: 300 }, (_, at) => `${first.slice(at, at + 16)}`));
  for (let at = 0; at < 300; at++) {
    assertEquals(windows.has(`${second.slice(at, at + 16)}`), false);
  }
});

Deno.test("a unit is refused with any bit flipped, cut anywhere in a piece, or of another key", () => {
  const unit = encrypted(text(120), SMALL);
  assertEquals(decrypted(unit, SMALL), text(120));
  for (let bit = 0; bit < 8 * unit.length; bit++) {
    const flipped = unit.with(bit >> 3, unit[bit >> 3]! ^ (1 << (bit & 7)));
    assertThrows(() => decrypted(flipped, SMALL), DecryptionError);
  }
  // Whole pieces that are missing are for the checks above this layer.
  const ends = new Set([40, 40 + 78, 40 + 2 * 78, unit.length]);
  for (let length = 0; length < unit.length; length++) {
    if (ends.has(length)) continue;
    assertThrows(() => decrypted(unit.slice(0, length), SMALL), DecryptionError);
  }
  const other = { ...SMALL, key: SMALL.key.with(0, 0) };
  assertThrows(() => decrypted(unit, other), DecryptionError, "key");
});

Deno.test("encryptUnit() wants room before what it encrypts", () => {
  const region = kernels.allocate(500);
  const start = encryptionOverhead(120, SMALL);
  assertThrows(() => encryptUnit(kernels, SMALL, region, start - 1, 120), RangeError);
  kernels.free(region);
});
