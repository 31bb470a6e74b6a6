import { assertEquals } from "@std/assert";
import { formatSize } from "../../../src/infrahub/mod.ts";

Deno.test("formatSize counts in steps of 1024", async (t) => {
  const rows: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KB"],
    [1536, "1.5 KB"],
    [1048575, "1.0 MB"],
    [1572864, "1.5 MB"],
    [5 * 1024 ** 3, "5.0 GB"],
    [2 ** 60, "1.0 EB"],
  ];
  for (const [bytes, want] of rows) {
    await t.step(want, () => assertEquals(formatSize(bytes), want));
  }
});
