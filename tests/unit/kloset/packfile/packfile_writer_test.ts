import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  decodePackfileFooter,
  decodePackfileIndex,
  locatePackfileFooter,
  openEnvelope,
  ResourceType,
  slicePackfileIndex,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import { PackfileWriter } from "../../../../src/kloset/packfile/mod.ts";
import { noise } from "../../../faults/backups.ts";
import { failFrom } from "../../../faults/faulty_store.ts";
import { BlobBench } from "../_blob_bench.ts";

const ID = new Uint8Array(32).fill(0xcd);
const NAME = "cd".repeat(32);

async function open(bench: BlobBench): Promise<PackfileWriter> {
  const { store, pool, codec, mac } = bench;
  const writer = await store.openWriter("packfile", NAME);
  return new PackfileWriter(ID, writer, { pool, codec, mac, timestampNs: 77n });
}

Deno.test("PackfileWriter writes what the format's decoders take apart", async () => {
  using bench = await BlobBench.make();
  const packfile = await open(bench);
  // From shared memory and not, small and larger than what is gathered, in turns.
  const blobs = [5, 0, 300_000, 1, 400_000, 70_000].map(noise);
  const stored: Promise<void>[] = [];
  for (const [i, bytes] of blobs.entries()) {
    const mac = bench.mac.of(bytes);
    if (i % 2 === 0) {
      const region = bench.pool.kernels.allocate(bytes.length);
      bench.pool.kernels.bytes(region).set(bytes);
      stored.push(packfile.appendRegion(ResourceType.CHUNK, mac, region, bytes.length));
    } else {
      await Promise.all(stored);
      await packfile.appendBytes(ResourceType.OBJECT, mac, bytes);
    }
  }
  await Promise.all(stored);
  assertEquals(packfile.dataLength, blobs.reduce((sum, { length }) => sum + length, 0));
  await packfile.finish();

  const file = bench.memory.objects.packfile.get(NAME)!;
  assertEquals(packfile.fileLength, file.length);
  const { payload } = openEnvelope(file, ResourceType.PACKFILE, VERSION_1_0_0, bench.mac.of);
  const { encodedFooter, start } = locatePackfileFooter(payload);
  const footer = decodePackfileFooter(bench.codec.decode(encodedFooter));
  assertEquals([footer.timestampNs, footer.count], [77n, blobs.length + 1]);
  const index = bench.codec.decode(slicePackfileIndex(payload, footer, start));
  const records = decodePackfileIndex(index, footer, bench.mac.of);
  assertEquals(records, packfile.records);
  for (const [i, bytes] of blobs.entries()) {
    const { type, mac, offset, length } = records[i]!;
    assertEquals(type, i % 2 === 0 ? ResourceType.CHUNK : ResourceType.OBJECT);
    assertEquals(payload.slice(offset, offset + length), bytes);
    assertEquals(mac, bench.mac.of(bytes));
  }
  // Plakar reads up to 4,095 bytes beyond a blob.
  const padding = records.at(-1)!;
  assertEquals(padding.type, ResourceType.RANDOM);
  assert(padding.length >= 4096 && padding.length < 8192);
});

Deno.test("PackfileWriter that is aborted, or fails, leaves nothing", async () => {
  using bench = await BlobBench.make();
  const aborted = await open(bench);
  await aborted.appendBytes(ResourceType.OBJECT, ID, noise(600_000, 1));
  await aborted.abort();
  await aborted.abort();
  const failing = await open(bench);
  bench.store.setPlan(failFrom(1));
  await failing.appendBytes(ResourceType.OBJECT, ID, noise(10, 1));
  await assertRejects(() => failing.finish(), Error, "Injected");
  bench.store.setPlan();
  await failing.abort();
  assertEquals(bench.memory.objects.packfile.has(NAME), false);
  assertEquals(bench.memory.openWriters, 0);
});
