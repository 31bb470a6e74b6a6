import { assertEquals } from "@std/assert";
import { describeShrinkage, isShrunken } from "../../../src/infrahub/shrinkage.ts";

Deno.test("isShrunken() is about more than so many percent", () => {
  const rows: [number, number, number, boolean][] = [
    [50, 100, 50, false],
    [49, 100, 50, true],
    [0, 100, 99, true],
    [1, 100, 99, false],
    [89, 100, 10, true],
    [200, 100, 50, false],
    [0, 0, 50, false],
    [0, 100, 0, false],
  ];
  for (const [bytes, earlier, percent, want] of rows) {
    assertEquals(isShrunken(bytes, earlier, percent), want, `${bytes} of ${earlier}, ${percent} %`);
  }
});

Deno.test("describeShrinkage() says what, how much, and compared with what", () => {
  assertEquals(
    describeShrinkage({
      what: "postgres",
      bytes: 1024,
      earlierBytes: 4096,
      earlierBackupId: "20260101_000000",
    }),
    "The postgres dump is 75 % smaller than in backup 20260101_000000 " +
      "(1.0 KB instead of 4.0 KB): make sure that no data has been lost",
  );
});
