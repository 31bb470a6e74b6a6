import { assertEquals, assertRejects } from "@std/assert";
import { CorruptionError, StoreError } from "../../../../src/kloset/mod.ts";
import { FormatError } from "../../../../src/kloset/format/mod.ts";
import { rereadOnDamage } from "../../../../src/kloset/unit/reread.ts";

const describe = (problem: string) =>
  new CorruptionError(`it is damaged: ${problem}`, { chunk: "c" });

/** Fails with these errors, one per attempt, and gives the number of attempts then. */
function attempts(...errors: Error[]) {
  let count = 0;
  return () => {
    const error = errors[count++];
    return error === undefined ? Promise.resolve(count) : Promise.reject(error);
  };
}

Deno.test("rereadOnDamage() reads sound things once", async () => {
  assertEquals(await rereadOnDamage(attempts(), describe), 1);
});

Deno.test("rereadOnDamage() reads again what was damaged on the way", async () => {
  for (
    const error of [
      new FormatError("x", "cut"),
      new FormatError("x", "newer", "version"),
      new CorruptionError("short"),
    ]
  ) assertEquals(await rereadOnDamage(attempts(error), describe), 2);
});

Deno.test("rereadOnDamage() calls it damage the second time, and keeps the cause", async () => {
  const second = new FormatError("x", "second");
  const read = attempts(new FormatError("x", "first"), second);
  const error = await assertRejects(() => rereadOnDamage(read, describe), CorruptionError);
  assertEquals(error.message, "it is damaged: x: second");
  assertEquals(error.context, { chunk: "c" });
  assertEquals(error.cause, second);
});

Deno.test("rereadOnDamage() passes other failures on", async () => {
  const failure = new StoreError("the disk has gone");
  const version = new FormatError("x", "newer", "version");
  for (const read of [attempts(failure), attempts(new FormatError("x", "cut"), failure)]) {
    assertEquals(await assertRejects(() => rereadOnDamage(read, describe)), failure);
  }
  const newer = attempts(version, version);
  assertEquals(await assertRejects(() => rereadOnDamage(newer, describe)), version);
});
