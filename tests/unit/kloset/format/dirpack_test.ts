import { assertEquals, assertThrows } from "@std/assert";
import {
  array,
  assert as property,
  boolean,
  nat,
  property as forAll,
  record,
  uint8Array,
} from "fast-check";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  DirpackDecoder,
  type DirpackFrame,
  encodeDirpackFrame,
  encodeObject,
  FormatError,
  macFromHex,
  macToHex,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import { blake3 } from "./_blake3.ts";
import {
  DIRPACK_MAC,
  DIRPACK_OBJECT_MAC,
  FILE_ENTRY,
  FILE_ENTRY_MAC,
  hex,
  MAC_KEY,
} from "./_vectors.ts";

const mac = blake3(MAC_KEY);
const FRAME: DirpackFrame = {
  isDirectory: false,
  entry: FILE_ENTRY,
  mac: macFromHex(FILE_ENTRY_MAC),
};

/** Reads a whole dirpack. */
function decodeDirpack(bytes: Uint8Array): DirpackFrame[] {
  const decoder = new DirpackDecoder(mac);
  const frames = decoder.push(bytes);
  decoder.finish();
  return frames;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

Deno.test("encodeDirpackFrame writes the dirpack, and so its object, that Go wrote", () => {
  const bytes = encodeDirpackFrame(FRAME);
  assertEquals(bytes.length, 351);
  assertEquals(bytes.slice(0, 5), hex("025a010000"));
  assertEquals(macToHex(mac(bytes)), DIRPACK_MAC);
  const contentMac = mac(bytes);
  const object = encodeObject({
    version: VERSION_1_0_0,
    contentMac,
    chunks: [{ version: VERSION_1_0_0, contentMac, length: 351, entropy: 0, flags: 0 }],
    contentType: "application/octet-stream",
    entropy: 0,
    flags: 0,
  });
  assertEquals(macToHex(mac(object)), DIRPACK_OBJECT_MAC);
});

Deno.test("DirpackDecoder reads frames whatever the pieces they arrive in", () => {
  const anyFrame = record({ isDirectory: boolean(), entry: uint8Array() })
    .map(({ isDirectory, entry }) => ({ isDirectory, entry, mac: mac(entry) }));
  property(forAll(array(anyFrame, { maxLength: 5 }), array(nat(40)), (frames, cuts) => {
    const bytes = concat(frames.map(encodeDirpackFrame));
    assertEquals(decodeDirpack(bytes), frames);
    const decoder = new DirpackDecoder(mac);
    const decoded: DirpackFrame[] = [];
    let at = 0;
    for (const cut of [...cuts, bytes.length]) {
      const piece = bytes.slice(at, at + cut);
      decoded.push(...decoder.push(piece));
      piece.fill(0); // the decoder must not depend on the caller's buffer
      at += piece.length;
    }
    decoder.finish();
    assertEquals(decoded, frames);
  }));
});

Deno.test("DirpackDecoder reads the dirpack of an empty directory", () => {
  assertEquals(decodeDirpack(new Uint8Array(0)), []);
});

Deno.test("DirpackDecoder refuses unknown types, impossible lengths, wrong MACs and cut frames", () => {
  const zero = "00".repeat(32);
  for (const bytes of [`00 20000000 ${zero}`, `03 20000000`, "01 1f000000", "01 ffffffff"]) {
    assertThrows(() => new DirpackDecoder(mac).push(hex(bytes)), FormatError, "frame of");
  }
  const forged = encodeDirpackFrame({ ...FRAME, mac: mac(new Uint8Array(1)) });
  assertEquals(assertThrows(() => decodeDirpack(forged), FormatError).reason, "checksum");
  const cut = encodeDirpackFrame(FRAME).slice(0, -1);
  assertThrows(() => decodeDirpack(cut), FormatError, "ends inside a frame");
});

Deno.test("DirpackDecoder survives damage", () => {
  const bytes = concat([FRAME, { ...FRAME, isDirectory: true }].map(encodeDirpackFrame));
  // Cut between frames, or before the first, it is a shorter dirpack.
  assertFailsCleanly(bytes, decodeDirpack, FormatError, {
    truncationsFail: false,
    count: 500,
  });
});
