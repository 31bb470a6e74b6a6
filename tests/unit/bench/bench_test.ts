import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { speedChart } from "../../../bench/report/chart.ts";
import { CommandLog, compare, WrongBytesError } from "../../../bench/peers/comparison.ts";
import type { Contender } from "../../../bench/peers/contenders.ts";
import { type DataSet, streamOf } from "../../../bench/data/data_set.ts";
import { goalsOf } from "../../../bench/report/goals.ts";
import { median } from "../../../bench/peers/measure.ts";
import { OURS } from "../../../bench/peers/our_tool.ts";
import { Outcomes } from "../../../bench/report/outcomes.ts";
import { table } from "../../../bench/report/report.ts";

const MIB = 2 ** 20;

function took(seconds: number) {
  return { seconds, cpuSeconds: seconds, peakBytes: 100 * MIB };
}

Deno.test("median is the middle, or the mean of both middles", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([9, 1, 5, 7]), 6);
});

Deno.test("table pads text to the right and numbers to the left", () => {
  assertEquals(
    table(["what", "s"], [["a longer name", "1.25"]], 1),
    "| what          |    s |\n| ------------- | ---: |\n| a longer name | 1.25 |\n",
  );
});

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

async function withStream(use: (data: DataSet, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/stream`, "what was stored\n");
    await use({
      name: "random",
      title: "A & B <bytes>",
      kind: "bytes",
      first: await streamOf(`${folder}/stream`),
      changes: [],
    }, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A program that says `answer` whatever it has stored. */
function contender(answer: string): Contender {
  const env = { PATH: "/usr/bin:/bin" };
  return {
    name: OURS,
    version: "1",
    prepare: (repository) => Deno.mkdir(repository),
    backup: (repository, stream) => ({ argv: ["store", repository, stream.file], env }),
    newest: () => Promise.resolve("id-1"),
    check: (repository) => ({ argv: ["check", repository], env }),
    restore: () => ({ argv: ["/bin/echo", answer], env }),
    source: (stream) => ["/bin/cat", stream.file],
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function settingsOf(folder: string, answer: string) {
  return {
    contenders: [contender(answer)],
    stopwatch: { measure: () => Promise.resolve({ measurement: took(1), stdout: "" }) },
    folder,
    runs: 2,
    outcomes: new Outcomes(),
    commands: new CommandLog(folder),
    onProgress: () => {},
  };
}

Deno.test("a program that gives back other bytes ends the benchmark", async () => {
  await withStream(async (data, folder) => {
    await assertRejects(() => compare(data, settingsOf(folder, "something")), WrongBytesError);
  });
});

Deno.test("each run measures all operations; commands are shown without paths", async () => {
  await withStream(async (data, folder) => {
    const settings = settingsOf(folder, "what was stored");
    await compare(data, settings);
    for (const operation of ["first", "second", "check", "restore"]) {
      assertEquals(settings.outcomes.get("random", operation, OURS)?.runs, 2);
    }
    assertEquals([...settings.commands.lines.get(OURS) ?? []], [
      "store $REPO $STREAM",
      "check $REPO",
      "echo 'what was stored' | cat > /dev/null",
    ]);
    const chart = speedChart([data], settings.outcomes, [OURS]);
    assertStringIncludes(chart, "A &amp; B &lt;bytes>");
    assertEquals(chart.match(/<rect x=/g)?.length, 4);
  });
});
