import { assertEquals } from "@std/assert";
import { ByteWriter } from "../../../../src/kloset/format/_byte_writer.ts";
import { hex } from "./_vectors.ts";

const writes: [name: string, write: (out: ByteWriter) => void, want: string][] = [
  ["u8", (out) => out.u8(1), "01"],
  ["u16be", (out) => out.u16be(0x0102), "0102"],
  ["u32be", (out) => out.u32be(0x01020304), "01020304"],
  ["u32le", (out) => out.u32le(0x01020304), "04030201"],
  ["u64be", (out) => out.u64be(0x0102030405060708n), "0102030405060708"],
  ["u64le", (out) => out.u64le(0x0102030405060708n), "0807060504030201"],
  ["i64be", (out) => out.i64be(-2), "fffffffffffffffe"],
  ["i64le", (out) => out.i64le(-2), "feffffffffffffff"],
  ["f64be", (out) => out.f64be(1.5), "3ff8000000000000"],
  ["bytes", (out) => out.bytes(hex("010203")), "010203"],
];

for (const [name, write, want] of writes) {
  Deno.test(`ByteWriter.${name} writes whatever room is left before it grows`, () => {
    for (let used = 0; used <= 16; used++) {
      const out = new ByteWriter(16);
      for (let i = 0; i < used; i++) out.u8(0xee);
      write(out);
      assertEquals(out.length, used + want.length / 2);
      assertEquals(out.finish(), hex("ee".repeat(used) + want));
    }
  });
}

Deno.test("ByteWriter grows from nothing", () => {
  const out = new ByteWriter(0);
  for (let i = 0; i < 1000; i++) out.u8(i & 0xff);
  assertEquals(out.finish(), Uint8Array.from({ length: 1000 }, (_, i) => i));
});
