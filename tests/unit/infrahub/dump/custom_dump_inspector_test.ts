import { assertEquals, assertStringIncludes } from "@std/assert";
import { inspect, postgres, problemOf, read } from "./_inspection.ts";

Deno.test("CustomDumpInspector says what is wrong with a dump, and where", async (t) => {
  const dump = read("postgres_15.dump");
  const anotherFormat = dump.slice();
  anotherFormat[10] = 3;
  const rows: [string, Uint8Array, string][] = [
    ["empty", new Uint8Array(0), "the PostgreSQL dump is empty"],
    [
      "an error message",
      new TextEncoder().encode("pg_dump: error: no"),
      "does not begin with PGDMP",
    ],
    ["another format", anotherFormat, "is not of the custom format (3)"],
    ["cut in the header", dump.subarray(0, 8), "cut off inside its header"],
    ["cut in the contents", dump.subarray(0, 900), "inside its table of contents"],
    ["one byte short", dump.subarray(0, dump.length - 1), "large objects"],
  ];
  for (const [name, bytes, message] of rows) {
    await t.step(name, () => assertStringIncludes(problemOf(postgres(), bytes), message));
  }
});

Deno.test("CustomDumpInspector notices a cut between two blocks of data", () => {
  const dump = read("postgres_15.dump");
  // The block of large objects is the last: its type and its entry's number stand before `hello`.
  const hello = new TextDecoder("latin1").decode(dump).indexOf("hello");
  const cut = dump.subarray(0, hello - 5 - 5 - 5 - 1);
  assertStringIncludes(problemOf(postgres(), cut), "ends without the data of 1 entries");
});

Deno.test("CustomDumpInspector accepts contents that pg_dump 16 appends once more, if complete", () => {
  const bytes = read("postgres_16_redirected.dump");
  assertEquals(inspect(postgres(), bytes), { format: "PostgreSQL custom-format dump 1.15" });
  const cut = bytes.subarray(0, bytes.length - 1);
  assertStringIncludes(problemOf(postgres(), cut), "table of contents");
});

Deno.test("CustomDumpInspector says that it does not know the layout of a newer version", () => {
  const newer = read("postgres_18.dump");
  newer[6] = 99;
  assertStringIncludes(inspect(postgres(), newer).limitation ?? "", "1.99 is not known");
});
