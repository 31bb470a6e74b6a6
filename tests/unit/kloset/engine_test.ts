import { assertEquals } from "@std/assert";
import { Kernels, type Region } from "../../../src/kernels/mod.ts";
import { startMachinery } from "../../../src/kloset/engine.ts";
import type { MemoryBudget } from "../../../src/kloset/unit/mod.ts";

const MIB = 1024 * 1024;

/** Bytes that a budget lends, in MiB: with so many out, one more has to wait. */
async function limitOf(budget: MemoryBudget): Promise<number> {
  const regions: Region[] = [];
  for (let lent = 0;; lent++) {
    let granted: Region | undefined;
    const next = budget.acquire(MIB).then((region) => granted = region);
    await new Promise((resolve) => setTimeout(resolve));
    if (granted !== undefined) {
      regions.push(granted);
      continue;
    }
    for (const region of regions) budget.release(region);
    budget.release(await next);
    return lent;
  }
}

Deno.test("startMachinery() bounds memory by the threads and the greatest chunk, and in all", async () => {
  const kernels = await Kernels.load();
  const limits = async (jobs: number, maximumChunkBytes: number) => {
    const { pool, plainMemory } = startMachinery(kernels, jobs, maximumChunkBytes);
    assertEquals(pool.size, jobs);
    pool.close();
    return await limitOf(plainMemory);
  };
  // Two streams' greatest chunks, and 2 MiB for each thread.
  assertEquals(await limits(1, 2 * MIB), 6);
  assertEquals(await limits(8, 4 * MIB), 24);
  assertEquals(await limits(500, 64 * MIB), 256);
});
