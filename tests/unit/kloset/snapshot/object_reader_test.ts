import { assertEquals, assertRejects } from "@std/assert";
import { CorruptionError } from "../../../../src/kloset/mod.ts";
import { encodeObject, ResourceType, VERSION_1_0_0 } from "../../../../src/kloset/format/mod.ts";
import { readObject } from "../../../../src/kloset/snapshot/object_reader.ts";
import { BlobBench } from "../_blob_bench.ts";

Deno.test("readObject() gives an object, or says that it is missing or malformed", async () => {
  using bench = await BlobBench.make();
  const object = {
    version: VERSION_1_0_0,
    contentMac: new Uint8Array(32).fill(1),
    chunks: [],
    contentType: "text/plain",
    entropy: 0,
    flags: 0,
  };
  const id = bench.add(ResourceType.OBJECT, encodeObject(object));
  assertEquals(await readObject(bench.blobs, id), object);
  const malformed = bench.add(ResourceType.OBJECT, new Uint8Array([0xc1]));
  for (const mac of [malformed, new Uint8Array(32)]) {
    await assertRejects(() => readObject(bench.blobs, mac), CorruptionError);
  }
});
