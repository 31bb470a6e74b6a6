import { assertEquals } from "@std/assert";
import { BlobIndex } from "../../../../src/kloset/index/mod.ts";
import { Packer } from "../../../../src/kloset/packfile/packer.ts";
import type { ObjectWriter } from "../../../../src/kloset/store/mod.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";
import { BlobBench } from "../_blob_bench.ts";

/** A store whose first packfile cannot be finished, and whose others are written when it is told. */
class SlowStore extends MemoryStore {
  readonly #mayWrite = Promise.withResolvers<void>();
  readonly events: string[];
  #opened = 0;

  constructor(events: string[]) {
    super();
    this.events = events;
  }

  letWrite(): void {
    this.#mayWrite.resolve();
  }

  override openWriter(): Promise<ObjectWriter> {
    const isFirst = this.#opened++ === 0;
    return Promise.resolve({
      write: async () => {
        if (isFirst) return;
        this.events.push("writing");
        await this.#mayWrite.promise;
        this.events.push("written");
      },
      close: () => isFirst ? Promise.reject(new Error("disk full")) : Promise.resolve(),
      abort: () => Promise.resolve(),
    });
  }
}

Deno.test("Packer.append() fails only when the region is not in use any more", async () => {
  using bench = await BlobBench.make();
  const { kernels } = bench.pool;
  const events: string[] = [];
  const store = new SlowStore(events);
  const packer = new Packer({
    store,
    pool: bench.pool,
    codec: bench.codec,
    mac: bench.mac,
    index: new BlobIndex(),
    maximumPackfileBytes: 1,
    timestampNs: 0n,
    onPackfile: () => {},
  });
  const append = async (byte: number) => {
    const region = kernels.allocate(100);
    kernels.bytes(region).fill(byte);
    const { stored } = await packer.append(new Uint8Array(32).fill(byte), region, 100);
    await stored;
  };
  await append(1);
  const second = append(2).then(
    () => events.push("stored"),
    (error) => events.push(error.message),
  );
  while (!events.includes("writing")) await new Promise((resolve) => setTimeout(resolve, 1));
  // Time for what fails to be told too early.
  await new Promise((resolve) => setTimeout(resolve, 50));
  store.letWrite();
  await second;
  // The packfile's header, then the blob.
  assertEquals(events, ["writing", "written", "writing", "written", "disk full"]);
  await packer.abort();
});
