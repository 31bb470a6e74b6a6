import { assertEquals, assertRejects } from "@std/assert";
import { Kernels, type Region } from "../../../../src/kernels/mod.ts";
import { MacFunction } from "../../../../src/kloset/mac.ts";
import { type DecodeTask, type HashTask, WorkerPool } from "../../../../src/kloset/workers/mod.ts";

const MAC = { algorithm: "BLAKE3", key: new Uint8Array(32).fill(9) } as const;

async function withPool(
  size: number,
  body: (pool: WorkerPool, kernels: Kernels) => Promise<void>,
): Promise<void> {
  const kernels = await Kernels.load();
  const pool = new WorkerPool(kernels, size);
  try {
    await body(pool, kernels);
  } finally {
    pool.close();
  }
}

function regionOf(kernels: Kernels, bytes: Uint8Array): Region {
  const region = kernels.allocate(bytes.length);
  kernels.bytes(region).set(bytes);
  return region;
}

function hashTask(data: Region): HashTask {
  return { operation: "hash", data, length: data.length, mac: MAC, entropy: false, position: 0 };
}

/** More tasks than the threads take at once, of lengths that go together in requests or do not. */
function contents(): Uint8Array[] {
  return Array.from(
    { length: 60 },
    (_, i) => new Uint8Array(i % 7 === 0 ? 700_000 : 1_000 * i).fill(i),
  );
}

for (const size of [1, 3]) {
  Deno.test(`WorkerPool, ${size} threads: each of many tasks gets its own answer`, async () => {
    await withPool(size, async (pool, kernels) => {
      const mac = new MacFunction(kernels, MAC);
      const all = contents();
      const results = await Promise.all(
        all.map((bytes) => pool.run(hashTask(regionOf(kernels, bytes)))),
      );
      assertEquals(results.map((result) => result.mac), all.map((bytes) => mac.of(bytes)));
    });
  });
}

Deno.test("WorkerPool: a task that fails does not take others along", async () => {
  await withPool(1, async (pool, kernels) => {
    const data = regionOf(kernels, new Uint8Array(1000).fill(5));
    const outsideOfMemory: DecodeTask = {
      operation: "decode",
      data,
      start: 0,
      length: data.length,
      target: { offset: 2 ** 40, length: data.length },
      encoding: { compression: undefined, encryption: undefined },
      mac: MAC,
      position: 0,
    };
    const results = await Promise.allSettled(
      Array.from(
        { length: 12 },
        (_, i) => pool.run(i % 3 === 1 ? outsideOfMemory : hashTask(data)),
      ),
    );
    assertEquals(
      results.map(({ status }) => status),
      results.map((_, i) => i % 3 === 1 ? "rejected" : "fulfilled"),
    );
  });
});

Deno.test("WorkerPool: close() rejects what is under way, what waits, and what comes", async () => {
  await withPool(1, async (pool, kernels) => {
    const all = contents().map((bytes) => pool.run(hashTask(regionOf(kernels, bytes))));
    pool.close();
    for (const result of [...all, pool.run(hashTask(kernels.allocate(1)))]) {
      await assertRejects(() => result, Error, "closed");
    }
  });
});
