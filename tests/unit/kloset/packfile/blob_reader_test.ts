import { assert, assertEquals, assertRejects } from "@std/assert";
import { CorruptionError, StoreError } from "../../../../src/kloset/mod.ts";
import {
  ENVELOPE_HEADER_BYTES,
  macToHex,
  ResourceType,
} from "../../../../src/kloset/format/mod.ts";
import { noise } from "../../../faults/backups.ts";
import { once } from "../../../faults/faulty_store.ts";
import { BlobBench } from "../_blob_bench.ts";

const BYTES = noise(60, 1);

Deno.test("BlobReader.read() gives what was stored, or says which blob is damaged", async () => {
  using bench = await BlobBench.make();
  const mac = bench.add(ResourceType.OBJECT, BYTES);
  bench.add(ResourceType.OBJECT, noise(60, 2));
  assertEquals(await bench.blobs.read(ResourceType.OBJECT, mac), BYTES);
  const { packfile, memory } = bench;
  const sound = memory.objects.packfile.get(packfile)!;
  for (let bit = 0; bit < 8 * BYTES.length; bit++) {
    const at = ENVELOPE_HEADER_BYTES + (bit >>> 3);
    memory.objects.packfile.set(packfile, sound.with(at, sound[at]! ^ (1 << (bit & 7))));
    const error = await assertRejects(
      () => bench.blobs.read(ResourceType.OBJECT, mac),
      CorruptionError,
      macToHex(mac),
    );
    assertEquals(error.context, { packfile });
    assert(error.message.includes(packfile));
  }
  for (const length of [0, ENVELOPE_HEADER_BYTES, ENVELOPE_HEADER_BYTES + 59]) {
    memory.objects.packfile.set(packfile, sound.slice(0, length));
    await assertRejects(() => bench.blobs.read(ResourceType.OBJECT, mac), CorruptionError);
  }
  memory.objects.packfile.delete(packfile);
  const read = () => bench.blobs.read(ResourceType.OBJECT, mac);
  await assertRejects(read, CorruptionError, "missing");
});

Deno.test("BlobReader.read() reads again what was damaged on the way", async () => {
  using bench = await BlobBench.make();
  const mac = bench.add(ResourceType.OBJECT, BYTES);
  const bit = 8 * ENVELOPE_HEADER_BYTES + 77;
  bench.store.setPlan(once("packfile", bench.packfile, { type: "flip", bit }));
  assertEquals(await bench.blobs.read(ResourceType.OBJECT, mac), BYTES);
  assertEquals(bench.store.injected, 1);
});

Deno.test("BlobReader.read() tells a store that fails from a blob that is missing", async () => {
  using bench = await BlobBench.make();
  const mac = bench.add(ResourceType.OBJECT, BYTES);
  const other = bench.mac.of(noise(5, 9));
  // The same MAC as another type's is another blob.
  for (const [type, id] of [[ResourceType.OBJECT, other], [ResourceType.CHUNK, mac]] as const) {
    const error = await assertRejects(() => bench.blobs.read(type, id), CorruptionError, "missing");
    assertEquals(error.context, type === ResourceType.CHUNK ? { chunk: macToHex(mac) } : {});
  }
  bench.store.setPlan(() => ({ type: "fail" }));
  await assertRejects(() => bench.blobs.read(ResourceType.OBJECT, mac), StoreError, "Injected");
});
