import { assertEquals } from "@std/assert";
import { table } from "../../../../bench/report/report.ts";

Deno.test("table pads text to the right and numbers to the left", () => {
  assertEquals(
    table(["what", "s"], [["a longer name", "1.25"]], 1),
    "| what          |    s |\n| ------------- | ---: |\n| a longer name | 1.25 |\n",
  );
});
