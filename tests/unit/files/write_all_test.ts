import { assertEquals } from "@std/assert";
import { writeAll } from "../../../src/files/mod.ts";

Deno.test("writeAll goes on where a write took only some of the bytes", async () => {
  const written: number[] = [];
  const calls: number[] = [];
  const file = {
    write(bytes: Uint8Array): Promise<number> {
      calls.push(bytes.length);
      written.push(...bytes.subarray(0, 3));
      return Promise.resolve(Math.min(bytes.length, 3));
    },
  };
  await writeAll(file, Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
  assertEquals([written, calls], [[1, 2, 3, 4, 5, 6, 7], [7, 4, 1]]);
  await writeAll(file, new Uint8Array(0));
  assertEquals(calls.length, 3);
});
