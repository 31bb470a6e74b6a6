import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Allocator } from "../../../src/kernels/allocator.ts";
import type { Region } from "../../../src/kernels/mod.ts";

const PAGE = 65_536;

/** An allocator of a pretended memory of 1 page that may grow to `pages`. */
function allocatorOf(pages: number): { allocator: Allocator; size: () => number } {
  let size = PAGE;
  const allocator = new Allocator(64, size, (end) => {
    if (end > pages * PAGE) throw new RangeError("full");
    size = Math.ceil(end / PAGE) * PAGE;
    return size;
  });
  return { allocator, size: () => size };
}

Deno.test("Allocator hands out aligned regions that never overlap, and finds all memory again", () => {
  const command = fc.oneof(
    { weight: 3, arbitrary: fc.record({ length: fc.oneof(fc.nat(300), fc.nat(100_000)) }) },
    { weight: 2, arbitrary: fc.record({ free: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ shrink: fc.nat(), keep: fc.nat(100) }) },
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 120 }), (commands) => {
      const { allocator, size } = allocatorOf(32);
      const live: Region[] = [];
      for (const step of commands) {
        if ("free" in step) {
          const [region] = live.splice(step.free % Math.max(1, live.length), 1);
          if (region !== undefined) allocator.free(region);
          continue;
        }
        if ("shrink" in step) {
          const index = step.shrink % Math.max(1, live.length);
          const old = live[index];
          if (old === undefined) continue;
          live[index] = allocator.shrink(old, Math.floor(old.length * step.keep / 100));
          continue;
        }
        let region: Region;
        try {
          region = allocator.allocate(step.length);
        } catch (error) {
          assert(error instanceof RangeError);
          continue;
        }
        assertEquals(region.length, step.length);
        assertEquals(region.offset % 64, 0);
        assert(region.offset >= 64 && region.offset + region.length <= size());
        for (const other of live) {
          assert(
            region.offset + Math.max(1, region.length) <= other.offset ||
              other.offset + Math.max(1, other.length) <= region.offset,
            "regions overlap",
          );
        }
        live.push(region);
      }
      for (const region of live) allocator.free(region);
      // With all freed, one region can take everything there is.
      const before = size();
      allocator.allocate(before - 64);
      assertEquals(size(), before);
    }),
    { numRuns: 300 },
  );
});

Deno.test("Allocator.allocate() takes the first place that is large enough", () => {
  const { allocator, size } = allocatorOf(100);
  const regions = [1, 2, 3, 4].map(() => allocator.allocate(100_000));
  const grown = size();
  for (const index of [2, 0]) allocator.free(regions[index]!);
  assertEquals(allocator.allocate(60_000).offset, regions[0]!.offset);
  assertEquals(allocator.allocate(60_000).offset, regions[2]!.offset);
  assertEquals(allocator.allocate(30_000).offset, regions[0]!.offset + 60_032);
  assertEquals(size(), grown);
});

Deno.test("Allocator.shrink() gives the end of a region back", () => {
  const { allocator, size } = allocatorOf(2);
  const region = allocator.allocate(2 * PAGE - 64);
  const kept = allocator.shrink(region, 1000);
  assertEquals(kept, { offset: region.offset, length: 1000 });
  assertEquals(allocator.allocate(2 * PAGE - 64 - 1024).offset, region.offset + 1024);
  assertThrows(() => allocator.free(region), RangeError, "not an allocated region");
  allocator.free(kept);
  assertEquals(allocator.allocate(1024).offset, region.offset);
  assertEquals(size(), 2 * PAGE);
});

Deno.test("Allocator.shrink() refuses what is not allocated, and more than there is", () => {
  const { allocator } = allocatorOf(1);
  const region = allocator.allocate(1000);
  for (const length of [-1, 0.5, NaN, 1001]) {
    assertThrows(() => allocator.shrink(region, length), RangeError);
  }
  allocator.free(region);
  assertThrows(() => allocator.shrink(region, 10), RangeError);
});

Deno.test("Allocator.allocate() joins free neighbours before it grows", () => {
  const { allocator, size } = allocatorOf(100);
  const regions = [1, 2, 3].map(() => allocator.allocate(64_000));
  allocator.allocate(64);
  const grown = size();
  for (const index of [2, 0, 1]) allocator.free(regions[index]!);
  assertEquals(allocator.allocate(3 * 64_000).offset, regions[0]!.offset);
  assertEquals(size(), grown);
});

Deno.test("Allocator.allocate() extends a free end instead of leaving it", () => {
  const { allocator, size } = allocatorOf(2);
  const first = allocator.allocate(PAGE - 128);
  allocator.free(first);
  assertEquals(allocator.allocate(2 * PAGE - 64).offset, 64);
  assertEquals(size(), 2 * PAGE);
});

Deno.test("Allocator stays usable after the memory's end is reached", () => {
  const { allocator } = allocatorOf(2);
  const region = allocator.allocate(PAGE);
  assertThrows(() => allocator.allocate(PAGE), RangeError, "full");
  allocator.free(region);
  assertEquals(allocator.allocate(2 * PAGE - 64).offset, 64);
});

Deno.test("Allocator.allocate() refuses what is not a length", () => {
  const { allocator } = allocatorOf(1);
  for (const length of [-1, 0.5, NaN, Infinity]) {
    assertThrows(() => allocator.allocate(length), RangeError);
  }
});

Deno.test("Allocator.allocate() gives empty regions places of their own", () => {
  const { allocator } = allocatorOf(1);
  assertNotEquals(allocator.allocate(0).offset, allocator.allocate(0).offset);
});

Deno.test("Allocator.free() refuses what is not allocated", () => {
  const { allocator } = allocatorOf(4);
  const region = allocator.allocate(1000);
  assertThrows(() => allocator.free({ offset: region.offset, length: 999 }), RangeError);
  assertThrows(() => allocator.free({ offset: region.offset + 64, length: 936 }), RangeError);
  allocator.free(region);
  assertThrows(() => allocator.free(region), RangeError, "not an allocated region");
});
