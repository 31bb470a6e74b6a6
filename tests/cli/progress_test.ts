import { assert, assertEquals, assertMatch } from "@std/assert";
import { Bench } from "./_bench.ts";
import { parseLines } from "./_json_lines.ts";

/** A backup that has read some megabytes, and ends once `release` is called. */
async function startHeldBackup(bench: Bench, args: readonly string[]) {
  const hold = `${bench.root}/hold`;
  await new Deno.Command("mkfifo", { args: [hold] }).output();
  const store = `${bench.neo4j}/databases/neo4j/store.db`;
  const script = `for i in 1 2 3 4 5 6 7 8; do cat ${store}; done; cat ${hold}`;
  const child = bench.start([
    "create",
    "from-commands",
    "--neo4j-edition=community",
    "--format=raw",
    `--neo4j-command=sh -c '${script}'`,
    ...args,
  ]);
  return { child, release: () => Deno.writeTextFile(hold, "") };
}

/** Reads a stream until what was read matches; the rest is what `rest` resolves to. */
async function readUntil(stream: ReadableStream<Uint8Array>, pattern: RegExp) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!pattern.test(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`ended without ${pattern}: ${text}`);
    text += value;
  }
  const rest = async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return text;
      text += value;
    }
  };
  return { rest };
}

Deno.test("without a terminal, a line tells the progress at every interval", async () => {
  await using bench = await Bench.create();
  const { child, release } = await startHeldBackup(bench, ["--progress-interval=50ms"]);
  const stdout = new Response(child.stdout).text();
  // Two lines: it goes on while nothing moves.
  const { rest } = await readUntil(child.stderr, /(Progress of neo4j: [^]*){2}/);
  await release();
  const log = await rest();
  assertEquals((await child.status).code, 0, log);
  const [line = ""] = /^.*Progress of.*$/m.exec(log) ?? [];
  assertMatch(
    line,
    /^time="[^"]+" level=info msg="Progress of neo4j: [\d.]+ [KM]B, [\d.]+ [KMG]?B\/s, \d+ % new"$/,
  );
  assertMatch(await stdout, /^Backup \d{8}_\d{6} complete/);
});

Deno.test("in JSON, progress is numbers", async () => {
  await using bench = await Bench.create();
  const { child, release } = await startHeldBackup(bench, [
    "--progress-interval=50ms",
    "--log-format=json",
  ]);
  const stdout = new Response(child.stdout).text();
  const { rest } = await readUntil(child.stderr, /"type":"progress"/);
  await release();
  const lines = parseLines(await rest());
  assertEquals((await child.status).code, 0);
  const progress = lines.find(({ type }) => type === "progress");
  assertEquals(progress?.component, "neo4j");
  for (const name of ["bytes", "bytes_new", "bytes_stored", "bytes_per_second"]) {
    assertEquals(typeof progress?.[name], "number", name);
  }
  assert(Number(progress?.bytes) >= Number(progress?.bytes_new));
  parseLines(await stdout);
});

Deno.test("--quiet and --log-level keep progress and milestones out of the log", async (t) => {
  for (const args of [["--quiet"], ["--log-level=warning"]]) {
    await t.step(args.join(" "), async () => {
      await using bench = await Bench.create();
      const result = await bench.succeed([
        "create",
        "from-files",
        "--neo4j-path",
        bench.neo4j,
        "--progress-interval=1ms",
        "--init",
        ...args,
      ]);
      assertEquals(result.stderr, "");
    });
  }
});
