import { assertEquals } from "@std/assert";
import { Outcomes } from "../../../../bench/outcomes.ts";
import { OURS } from "../../../../bench/peers/our_tool.ts";
import { goalsOf } from "../../../../bench/report/goals.ts";

const MIB = 2 ** 20;

function took(seconds: number) {
  return { seconds, cpuSeconds: seconds, peakBytes: 100 * MIB };
}

Deno.test("a goal is reached at its ratio, not below, and unknown when nothing was measured", () => {
  const outcomes = new Outcomes();
  outcomes.of("random", "first", OURS, MIB).add(took(2));
  outcomes.of("random", "first", "plakar", MIB).add(took(3));
  outcomes.of("random", "first", "restic", MIB).add(took(5.9));
  const goals = goalsOf({ outcomes, memory: [] });
  const against = (program: string) =>
    goals.find(({ what }) => what.includes(`first backup, against ${program}`))?.found;
  assertEquals(against("plakar"), { figure: "1.50x", reached: true });
  assertEquals(against("restic"), { figure: "2.95x", reached: false });
  assertEquals(against("borg"), undefined);
});

Deno.test("bytes added have to be few of the dump and few of the first backup", () => {
  const outcomes = new Outcomes();
  outcomes.of("neo4j-dump", "first", OURS, 100 * MIB).add(took(1), 20 * MIB);
  outcomes.of("neo4j-dump", "changed-scattered", OURS, 100 * MIB).add(took(1), 2 * MIB);
  const goal = goalsOf({ outcomes, memory: [] }).find(({ what }) => what.includes("Community"));
  assertEquals(goal?.found, {
    figure: "2.0 % of the dump, 10.0 % of the first backup",
    reached: false,
  });
});
