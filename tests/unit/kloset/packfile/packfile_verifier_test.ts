import { assert, assertEquals, assertRejects } from "@std/assert";
import { CorruptionError, StoreError } from "../../../../src/kloset/mod.ts";
import {
  encodeEnvelope,
  ENVELOPE_FOOTER_BYTES,
  ENVELOPE_HEADER_BYTES,
  ResourceType,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import { verifyPackfile } from "../../../../src/kloset/packfile/mod.ts";
import { MemoryBudget } from "../../../../src/kloset/unit/mod.ts";
import { noise } from "../../../faults/backups.ts";
import { once } from "../../../faults/faulty_store.ts";
import { BlobBench } from "../_blob_bench.ts";

/** More than two pieces of those that are read at a time. */
const BODY = noise(2_500_000, 1);

async function benchWithPackfile() {
  const bench = await BlobBench.make();
  const { memory, packfile, mac, store, pool } = bench;
  const put = (bytes: Uint8Array) => memory.objects.packfile.set(packfile, bytes);
  const file = encodeEnvelope(ResourceType.PACKFILE, VERSION_1_0_0, BODY, mac.of);
  put(file);
  const readMemory = new MemoryBudget(pool.kernels, 4 * 1024 * 1024);
  return { bench, file, put, packfile, reading: { store, pool, mac, readMemory } };
}

Deno.test("verifyPackfile() gives the part that is wanted, wherever it lies", async () => {
  const { bench, file, packfile, reading } = await benchWithPackfile();
  using _ = bench;
  assertEquals((await verifyPackfile(packfile, reading)).length, 0);
  for (const [position, length] of [[0, 16], [16, 0], [1024 * 1024 - 5, 10], [16, BODY.length]]) {
    const part = { position: position!, length: length! };
    const bytes = await verifyPackfile(packfile, reading, { part });
    assertEquals(bytes, file.slice(position, position! + length!));
  }
});

Deno.test("verifyPackfile() finds whatever was changed, cut or put in its place", async () => {
  const { bench, file, put, packfile, reading } = await benchWithPackfile();
  using _ = bench;
  const damages = [
    ...[0, 5, ENVELOPE_HEADER_BYTES, 1_500_000, file.length - 33, file.length - 1]
      .map((at) => file.with(at, file[at]! ^ 4)),
    ...[0, 10, ENVELOPE_HEADER_BYTES + ENVELOPE_FOOTER_BYTES, 1_000_000, file.length - 1]
      .map((length) => file.slice(0, length)),
    encodeEnvelope(ResourceType.STATE, VERSION_1_0_0, BODY, bench.mac.of),
  ];
  for (const bytes of damages) {
    put(bytes);
    const error = await assertRejects(() => verifyPackfile(packfile, reading), CorruptionError);
    assert(error.message.includes(`Packfile ${packfile} is damaged`), error.message);
    assertEquals(error.context, { packfile });
  }
  put(file);
  const part = { position: file.length - 40, length: 20 };
  await assertRejects(() => verifyPackfile(packfile, reading, { part }), CorruptionError, "hold");
  bench.memory.objects.packfile.clear();
  await assertRejects(() => verifyPackfile(packfile, reading), CorruptionError, "missing");
  // All memory is back.
  reading.readMemory.release(await reading.readMemory.acquire(4 * 1024 * 1024));
});

Deno.test("verifyPackfile() reads again what was damaged on the way, and passes on failures", async () => {
  const { bench, packfile, reading } = await benchWithPackfile();
  using _ = bench;
  bench.store.setPlan(once("packfile", packfile, { type: "flip", bit: 8 * 1_200_000 }));
  await verifyPackfile(packfile, reading);
  assertEquals(bench.store.injected, 1);
  bench.store.setPlan(() => ({ type: "fail" }));
  await assertRejects(() => verifyPackfile(packfile, reading), StoreError, "Injected");
  bench.store.setPlan();
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => verifyPackfile(packfile, reading, { signal }), Error, "enough");
});
