import { assert, assertEquals, assertThrows } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import {
  DamagedUnitError,
  decodeRegion,
  encodedBound,
  encodeRegion,
  type Encoding,
} from "../../../../src/kloset/workers/mod.ts";
import { noise, prose } from "../../../faults/backups.ts";

const kernels = await Kernels.load();
const KEY = { key: new Uint8Array(32).fill(3), pieceBytes: 1000 };

function encode(encoding: Encoding, plain: Uint8Array): Uint8Array {
  const data = kernels.allocate(Math.max(plain.length, 1));
  const target = kernels.allocate(encodedBound(plain.length, encoding));
  try {
    kernels.bytes(data, 0, plain.length).set(plain);
    const length = encodeRegion(kernels, encoding, data, plain.length, target);
    return kernels.bytes(target, 0, length).slice();
  } finally {
    kernels.free(data);
    kernels.free(target);
  }
}

/** Decodes a unit that lies somewhere in a region, into one of `room` bytes. */
function decode(encoding: Encoding, unit: Uint8Array, room: number): Uint8Array {
  const data = kernels.allocate(unit.length + 40);
  const target = kernels.allocate(Math.max(room, 1));
  try {
    kernels.bytes(data, 20).set(unit);
    const part = { offset: target.offset, length: room };
    const length = decodeRegion(kernels, encoding, data, 20, 20 + unit.length, part);
    return kernels.bytes(target, 0, length).slice();
  } finally {
    kernels.free(data);
    kernels.free(target);
  }
}

for (const compression of ["LZ4", "GZIP", undefined] as const) {
  for (const encryption of [undefined, KEY]) {
    const encoding = { compression, encryption };
    const name = `${compression ?? "not compressed"}, ${encryption ? "encrypted" : "plain"}`;
    Deno.test(`encodeRegion() stays within encodedBound(), and decodeRegion() undoes it (${name})`, () => {
      for (const length of [0, 1, 999, 1000, 1001, 16_384, 16_385, 70_000]) {
        for (const plain of [noise(length, 1), prose(length, 1)]) {
          const unit = encode(encoding, plain);
          assert(unit.length <= encodedBound(length, encoding));
          assertEquals(decode(encoding, unit, length), plain);
        }
      }
    });

    Deno.test(`decodeRegion() refuses more than there is room for, and damage (${name})`, () => {
      const unit = encode(encoding, noise(5000, 1));
      assertThrows(() => decode(encoding, unit, 4999), DamagedUnitError);
      if (compression === undefined && encryption === undefined) return;
      assertThrows(() => decode(encoding, unit.slice(0, -1), 5000), DamagedUnitError);
      assertThrows(() => decode(encoding, unit.with(0, unit[0]! ^ 1), 5000), DamagedUnitError);
    });
  }
}
