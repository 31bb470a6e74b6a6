import { assertEquals } from "@std/assert";
import { median } from "../../../bench/stopwatch.ts";

Deno.test("median is the middle, or the mean of both middles", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([9, 1, 5, 7]), 6);
});
