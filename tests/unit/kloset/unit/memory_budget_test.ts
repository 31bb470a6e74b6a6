import { assertEquals, assertRejects } from "@std/assert";
import { Kernels, type Region } from "../../../../src/kernels/mod.ts";
import { MemoryBudget } from "../../../../src/kloset/unit/memory_budget.ts";

/** What has been granted so far. */
function watch(requests: readonly Promise<Region>[]) {
  const granted = new Map<number, Region>();
  requests.forEach((request, i) => request.then((region) => granted.set(i, region)));
  return {
    granted,
    /** Which requests are granted, after everything that is due has happened. */
    async now(): Promise<number[]> {
      await new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(resolve)));
      await Promise.resolve();
      return [...granted.keys()];
    },
  };
}

Deno.test("MemoryBudget grants in order, as far as the limit goes", async () => {
  const memory = new MemoryBudget(await Kernels.load(), 100);
  const requests = [60, 30, 20, 10, 100].map((length) => memory.acquire(length));
  const { granted, now } = watch(requests);
  assertEquals(await now(), [0, 1]);
  // 10 bytes are left, but the 20 are next.
  memory.release(granted.get(1)!);
  assertEquals(await now(), [0, 1, 2, 3]);
  memory.release(granted.get(0)!);
  memory.release(granted.get(2)!);
  assertEquals(await now(), [0, 1, 2, 3]);
  memory.release(granted.get(3)!);
  assertEquals(await now(), [0, 1, 2, 3, 4]);
  memory.release(granted.get(4)!);
});

Deno.test("MemoryBudget.shrink() makes room for those who wait", async () => {
  const kernels = await Kernels.load();
  const memory = new MemoryBudget(kernels, 100);
  const reader = {};
  const first = await memory.acquire(80, { holder: reader });
  kernels.bytes(first).fill(7);
  const { granted, now } = watch([memory.acquire(50), memory.acquire(40)]);
  assertEquals(await now(), []);
  const kept = memory.shrink(first, 10);
  assertEquals(kernels.bytes(kept), new Uint8Array(10).fill(7));
  assertEquals(await now(), [0, 1]);
  // The reader still holds what it kept: a second request of its has to wait its turn.
  const second = memory.acquire(1, { holder: reader });
  const secondWatch = watch([second]);
  assertEquals(await secondWatch.now(), []);
  memory.release(kept);
  memory.release(granted.get(0)!);
  memory.release(granted.get(1)!);
  memory.release(await second);
});

Deno.test("MemoryBudget grants more than its limit to one alone", async () => {
  const memory = new MemoryBudget(await Kernels.load(), 100);
  const requests = [10, 500, 10].map((length) => memory.acquire(length));
  const { granted, now } = watch(requests);
  assertEquals(await now(), [0]);
  memory.release(granted.get(0)!);
  assertEquals(await now(), [0, 1]);
  memory.release(granted.get(1)!);
  assertEquals(await now(), [0, 1, 2]);
  memory.release(granted.get(2)!);
});

Deno.test("MemoryBudget refuses what the kernels cannot hold, and goes on", async () => {
  const kernels = await Kernels.load({ maximumBytes: 2 * 1024 * 1024 });
  const memory = new MemoryBudget(kernels, 1024 * 1024);
  await assertRejects(() => memory.acquire(8 * 1024 * 1024), RangeError);
  await assertRejects(() => memory.acquireAll([10, 8 * 1024 * 1024, 10]), RangeError);
  // All of it is there again.
  const region = await memory.acquire(1024 * 1024);
  memory.release(region);
});

Deno.test("MemoryBudget.acquireAll() takes all or waits, so that two cannot block each other", async () => {
  const memory = new MemoryBudget(await Kernels.load(), 100);
  const both = await Promise.all([60, 50].map(async (length) => {
    const regions = await memory.acquireAll([length, 40]);
    await Promise.resolve();
    for (const region of regions) memory.release(region);
    return regions.length;
  }));
  assertEquals(both, [2, 2]);
});

Deno.test("MemoryBudget.acquireAll() grants more than the limit to one alone", async () => {
  const memory = new MemoryBudget(await Kernels.load(), 100);
  const [first, second] = await memory.acquireAll([80, 80]);
  const { granted, now } = watch([memory.acquire(1)]);
  assertEquals(await now(), []);
  memory.release(first!);
  memory.release(second!);
  assertEquals(await now(), [0]);
  memory.release(granted.get(0)!);
});

Deno.test("MemoryBudget grants at once to a holder of nothing", async () => {
  const memory = new MemoryBudget(await Kernels.load(), 100);
  const [a, b] = [{}, {}];
  const requests = [
    memory.acquire(100, { holder: a }),
    memory.acquire(10, { holder: a }),
    memory.acquire(10),
    memory.acquire(50, { holder: b }),
    memory.acquire(50, { holder: b }),
  ];
  const { granted, now } = watch(requests);
  assertEquals(await now(), [0, 3]);
  memory.release(granted.get(3)!);
  assertEquals(await now(), [0, 3, 4], "b holds nothing any more");
  memory.release(granted.get(0)!);
  assertEquals(await now(), [0, 3, 4, 1, 2]);
  for (const i of [1, 2, 4]) memory.release(granted.get(i)!);
});
