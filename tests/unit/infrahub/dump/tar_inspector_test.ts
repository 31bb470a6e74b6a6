import { assertStringIncludes } from "@std/assert";
import { enterprise, problemOf, read } from "./_inspection.ts";

Deno.test("TarInspector says what is wrong with a backup", async (t) => {
  const tar = read("enterprise_backup.tar");
  const damaged = tar.slice();
  damaged[3] = 0x40;
  const rows: [string, Uint8Array, string][] = [
    ["empty", new Uint8Array(0), "the Neo4j backup is empty"],
    ["zeros alone", new Uint8Array(10240), "has no files"],
    ["a damaged header", damaged, "has a damaged tar header"],
    ["half an end marker", tar.subarray(0, 5632), "cut off inside the end marker"],
  ];
  for (const [name, bytes, message] of rows) {
    await t.step(name, () => assertStringIncludes(problemOf(enterprise(), bytes), message));
  }
});
