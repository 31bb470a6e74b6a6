import { assertEquals, assertThrows } from "@std/assert";
import { copyShared } from "../../../../src/kloset/store/_shared_copy.ts";

/** Longer than what is copied at a time, twice over. */
const LENGTH = 150_000;

const MEMORIES = {
  shared: () => new SharedArrayBuffer(LENGTH + 16),
  plain: () => new ArrayBuffer(LENGTH + 16),
};

for (const [kind, makeMemory] of Object.entries(MEMORIES)) {
  Deno.test(`copyShared() copies ${kind} memory, wherever both sides begin`, () => {
    const memory = new Uint8Array(makeMemory());
    for (let i = 0; i < memory.length; i++) memory[i] = (i * 2_654_435_761) >>> 24;
    for (const from of [0, 1, 7, 8]) {
      for (const at of [0, 1, 7, 8]) {
        const bytes = memory.subarray(from, from + LENGTH);
        const target = new Uint8Array(LENGTH + 16).fill(1);
        copyShared(bytes, target, at);
        const expected = new Uint8Array(LENGTH + 16).fill(1);
        bytes.forEach((byte, i) => expected[at + i] = byte);
        assertEquals(target, expected, `from ${from} to ${at}`);
      }
    }
  });

  Deno.test(`copyShared() copies no bytes of ${kind} memory`, () => {
    const target = new Uint8Array([1, 2]);
    copyShared(new Uint8Array(makeMemory(), 3, 0), target, 2);
    assertEquals(target, new Uint8Array([1, 2]));
  });

  Deno.test(`copyShared() refuses a target that ends before ${kind} bytes do`, () => {
    const bytes = new Uint8Array(makeMemory(), 3, 10);
    assertThrows(() => copyShared(bytes, new Uint8Array(10), 1), RangeError);
  });
}
