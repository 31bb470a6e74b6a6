import { assertStringIncludes } from "@std/assert";
import { community, inspect, prefixed, problemOf, read } from "./_inspection.ts";

Deno.test("Neo4jDumpInspector says what is wrong with a dump", async (t) => {
  const rows: [string, Uint8Array, string][] = [
    ["empty", new Uint8Array(0), "the Neo4j dump is empty"],
    ["plain text", new TextEncoder().encode("starting Neo4j"), "neither zstd nor gzip"],
    ["wrong prefix", prefixed("DGV1", read("stream.zst")), "neither zstd nor gzip"],
  ];
  for (const [name, bytes, message] of rows) {
    await t.step(name, () => assertStringIncludes(problemOf(community(), bytes), message));
  }
});

Deno.test("Neo4jDumpInspector says that it cannot tell whether gzip is complete", () => {
  const { limitation = "" } = inspect(community(), read("stream.gz"));
  assertStringIncludes(limitation, "shows only when it is loaded");
});
