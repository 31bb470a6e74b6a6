import { assert, assertEquals, assertRejects } from "@std/assert";
import { CorruptionError, StoreError } from "../../../../src/kloset/mod.ts";
import {
  encodeEnvelope,
  encodeHeader,
  type Header,
  macToHex,
  ResourceType,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import { readHeader, readUnverifiedHeader } from "../../../../src/kloset/snapshot/mod.ts";
import { MemoryBudget } from "../../../../src/kloset/unit/mod.ts";
import type { Engine } from "../../../../src/kloset/engine.ts";
import { headerOf } from "../_snapshot_bench.ts";
import { BlobBench } from "../_blob_bench.ts";

/** A packfile of one header; `seal` signs what is in it now. */
async function benchWith(header: Header, id = header.identifier) {
  const bench = await BlobBench.make();
  bench.add(ResourceType.SNAPSHOT, encodeHeader(header), id);
  const { memory, packfile, mac, store, pool, codec, blobs } = bench;
  const body = memory.objects.packfile.get(packfile)!.slice(16);
  const file = encodeEnvelope(ResourceType.PACKFILE, VERSION_1_0_0, body, mac.of);
  memory.objects.packfile.set(packfile, file);
  const readMemory = new MemoryBudget(pool.kernels, 4 * 1024 * 1024);
  const engine = { store, pool, mac, codec, blobs, readMemory } as Pick<
    Engine,
    "store" | "pool" | "mac" | "codec" | "blobs" | "readMemory"
  > as Engine;
  return { bench, engine, file };
}

const HEADER = headerOf({ name: "test" });
const ID = HEADER.identifier;

Deno.test("readHeader() and readUnverifiedHeader() give the header that was stored", async () => {
  const { bench, engine } = await benchWith(HEADER);
  using _ = bench;
  assertEquals(await readHeader(engine, ID), HEADER);
  assertEquals(await readUnverifiedHeader(engine, ID), HEADER);
});

Deno.test("readHeader() authenticates a header; readUnverifiedHeader() takes what it can decode", async () => {
  const { bench, engine, file } = await benchWith(HEADER);
  using _ = bench;
  // A letter of the name: still a header.
  const at = new TextDecoder("latin1").decode(file).indexOf("test");
  const forged = file.with(at, "b".charCodeAt(0));
  bench.memory.objects.packfile.set(bench.packfile, forged);
  assertEquals((await readUnverifiedHeader(engine, ID)).name, "best");
  const error = await assertRejects(() => readHeader(engine, ID), CorruptionError);
  assertEquals(error.context, { packfile: bench.packfile, snapshot: macToHex(ID) });
  assert(
    error.message.startsWith(`The header of snapshot ${macToHex(ID).slice(0, 16)} is damaged`),
  );
});

Deno.test("a header that is missing, malformed or another snapshot's is damage of the snapshot", async () => {
  const other = new Uint8Array(32).fill(0x77);
  const { bench, engine } = await benchWith(HEADER, other);
  using _ = bench;
  for (const read of [readHeader, readUnverifiedHeader]) {
    const error = await assertRejects(() => read(engine, other), CorruptionError, "another");
    assertEquals(error.context.snapshot, macToHex(other));
    await assertRejects(() => read(engine, ID), CorruptionError, "missing");
  }
  bench.store.setPlan(() => ({ type: "fail" }));
  for (const read of [readHeader, readUnverifiedHeader]) {
    await assertRejects(() => read(engine, other), StoreError, "Injected");
  }
});
