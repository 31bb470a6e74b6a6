import { assertEquals, assertThrows } from "@std/assert";
import { BenchError } from "../../../bench/bench_error.ts";
import { readSettings } from "../../../bench/settings.ts";

Deno.test("readSettings() reads sizes, counts and data sets", () => {
  const settings = readSettings([
    "--sizes=64M,1G",
    "--random=16M",
    "--runs=3",
    "--data=postgres",
    "--no-peers",
  ]);
  assertEquals(settings.sizes, [64 * 2 ** 20, 2 ** 30]);
  assertEquals(settings.randomBytes, 16 * 2 ** 20);
  assertEquals(settings.runs, 3);
  assertEquals(settings.data, ["postgres"]);
  assertEquals(settings.peers, false);
  assertEquals(readSettings(["--sizes=none"]).sizes, []);
});

Deno.test("readSettings() refuses what makes no sense", () => {
  for (const argument of ["--sizes=64", "--random=0M", "--runs=0", "--runs=1.5", "--data=other"]) {
    assertThrows(() => readSettings([argument]), BenchError);
  }
});
