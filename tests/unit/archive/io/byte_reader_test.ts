import { assertEquals } from "@std/assert";
import { ByteReader } from "../../../../src/archive/io/byte_reader.ts";
import { noise, streamOf } from "../_support.ts";

Deno.test("ByteReader gives exactly what is asked for, however the bytes arrive", async () => {
  const bytes = noise(100);
  for (const pieceBytes of [1, 7, 64, 100]) {
    const reader = new ByteReader(streamOf(bytes, pieceBytes).getReader());
    assertEquals(await reader.read(10), bytes.slice(0, 10));
    assertEquals(await reader.read(0), new Uint8Array(0));
    assertEquals(await reader.read(85), bytes.slice(10, 95));
    // Fewer at the end, and none after it.
    assertEquals(await reader.read(10), bytes.slice(95));
    assertEquals(await reader.read(10), new Uint8Array(0));
  }
});

Deno.test("ByteReader gives arrays that are the caller's own", async () => {
  const source = new Uint8Array([1, 2, 3, 4]);
  const reader = new ByteReader(ReadableStream.from([source]).getReader());
  const first = await reader.read(2);
  first.fill(9);
  assertEquals(source, new Uint8Array([1, 2, 3, 4]));
  assertEquals(await reader.read(2), new Uint8Array([3, 4]));
});
