import { assertEquals, assertStringIncludes } from "@std/assert";
import type { DataSet } from "../../../../bench/data/data_set.ts";
import { operationsOf, Outcomes } from "../../../../bench/outcomes.ts";
import { speedChart } from "../../../../bench/report/chart.ts";

const DATA: DataSet = {
  name: "random",
  title: "A & B <bytes>",
  kind: "bytes",
  first: { file: "/data/stream", bytes: 1000 },
  changes: [],
};

Deno.test("the chart has a bar for each operation, and escapes what it shows", () => {
  const outcomes = new Outcomes();
  const measured = operationsOf(DATA);
  for (const { name } of measured) {
    outcomes.of("random", name, "program", 1000).add({ seconds: 1, cpuSeconds: 1, peakBytes: 1 });
  }
  const chart = speedChart([DATA], outcomes, ["program"]);
  assertStringIncludes(chart, "A &amp; B &lt;bytes>");
  assertEquals(chart.match(/<rect x=/g)?.length, measured.length);
});
