import { assertEquals } from "@std/assert";
import { comparePaths, compareText } from "../../../../src/archive/tar/order.ts";

Deno.test("compareText sorts by the bytes of UTF-8, not by UTF-16", () => {
  // In UTF-16 the surrogates of the last one come before U+FF5E.
  const sorted = ["", "a", "a-", "b", "é", "\uff5e", "\u{1f600}"];
  assertEquals([...sorted].reverse().sort(compareText), sorted);
  assertEquals(compareText("same", "same"), 0);
});

Deno.test("comparePaths sorts name by name, as a walk does", () => {
  // By text alone "database-old" would come before what is in "database".
  const sorted = ["database", "database/a", "database/b/c", "database-old", "prefect.dump"];
  assertEquals([...sorted].reverse().sort(comparePaths), sorted);
});
