import { assertEquals, assertRejects } from "@std/assert";
import { type DataSet, streamOf } from "../../../../bench/data/data_set.ts";
import { Outcomes } from "../../../../bench/outcomes.ts";
import { CommandLog, compare, WrongBytesError } from "../../../../bench/peers/comparison.ts";
import type { Contender } from "../../../../bench/peers/contender.ts";
import { OURS } from "../../../../bench/peers/our_tool.ts";

const TOOK = { seconds: 1, cpuSeconds: 1, peakBytes: 100 * 2 ** 20 };

async function withStream(use: (data: DataSet, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/stream`, "what was stored\n");
    await use({
      name: "random",
      title: "random bytes",
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
    stopwatch: { measure: () => Promise.resolve({ measurement: TOOK, stdout: "" }) },
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
  });
});
