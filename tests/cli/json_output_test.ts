/** Every line that real runs write with `--log-format json`, against the schema that is published. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Bench, type Outcome, type RunOptions } from "./_bench.ts";
import { type Line, parseLines, parseSnapshotsList } from "./_json_lines.ts";

interface JsonOutcome {
  readonly code: number;
  readonly out: Line[];
  readonly err: Line[];
}

function parsed({ code, stdout, stderr }: Outcome): JsonOutcome {
  return { code, out: parseLines(stdout), err: parseLines(stderr) };
}

async function run(
  bench: Bench,
  args: readonly string[],
  options: RunOptions = {},
): Promise<JsonOutcome> {
  const outcome = parsed(await bench.run([...args, "--log-format", "json"], options));
  const last = outcome.err.at(-1);
  if (outcome.code === 0) {
    assertEquals(outcome.err.filter(({ type }) => type === "error"), []);
  } else {
    assertEquals([last?.type, last?.exit_code], ["error", outcome.code]);
  }
  return outcome;
}

Deno.test("the schema refuses what is no line of the program", () => {
  const log = { type: "log", level: "info", msg: "x", time: "2026-03-18T14:30:00Z" };
  parseLines(`${JSON.stringify(log)}\n`);
  for (
    const bad of [
      { ...log, type: undefined },
      { ...log, type: "other" },
      { ...log, level: "loud" },
      { ...log, type: "error" },
      { type: "result", command: "create", ok: true },
      { type: "result", command: "create", ok: false },
      { type: "result", command: "snapshots check", ok: true },
      { type: "progress", level: "info", msg: "x", time: "t", component: "neo4j", bytes: -1 },
    ]
  ) assertThrows(() => parseLines(`${JSON.stringify(bad)}\n`));
  assertThrows(() => parseLines("Error: x\n"));
  assertThrows(() => parseLines(JSON.stringify(log)));
});

Deno.test("every line of every command is an object with a type", async (t) => {
  await using bench = await Bench.create();
  const files = ["--neo4j-path", bench.neo4j, "--postgres-path", bench.dump];
  const result = async (args: string[], options: RunOptions = {}) => {
    const { code, out, err } = await run(bench, args, options);
    assertEquals([code, out.length], [0, 1], JSON.stringify(err));
    assertEquals(out[0]?.type, "result");
    return out[0] ?? {};
  };
  let id = "";
  await t.step("create from-files", async () => {
    const created = await result(["create", "from-files", ...files]);
    assertEquals([created.ok, created.command], [true, "create from-files"]);
  });
  await t.step("create from-files, an archive", async () => {
    const { path } = await result(["create", "from-files", ...files], {
      env: { INFRAHUB_BACKEND: "tarball", INFRAHUB_BACKUP_DIR: `${bench.root}/archives` },
    });
    assert(String(path).endsWith(".tar.gz"));
    const restored = await result(
      ["restore", String(path), "--to", `${bench.root}/unpacked`, "--backend", "tarball"],
    );
    assertEquals(restored.ok, true);
  });
  await t.step("create from-commands", async () => {
    const created = await result([
      "create",
      "from-commands",
      `--neo4j-command=cat ${bench.tar}`,
    ]);
    assertEquals([created.ok, created.command], [true, "create from-commands"]);
  });
  await t.step("snapshots list", async () => {
    const { stdout, stderr } = await bench.succeed(["snapshots", "list", "--log-format=json"]);
    const [group] = parseSnapshotsList(stdout);
    const [snapshot] = group?.snapshots as { snapshot_id: string }[];
    id = snapshot?.snapshot_id ?? "";
    parseLines(stderr);
  });
  await t.step("snapshots show", async () => {
    assertEquals((await result(["snapshots", "show", id])).snapshot_id, id);
  });
  await t.step("snapshots check", async () => {
    assertEquals((await result(["snapshots", "check"])).ok, true);
  });
  await t.step("restore --to", async () => {
    assertEquals((await result(["restore", "--to", `${bench.root}/out`])).ok, true);
  });
  await t.step("systemd units", async () => {
    assertEquals((await result(["systemd", "units"])).ok, true);
    const installed = await result(["systemd", "units", "--install", bench.root]);
    assertEquals((installed.files as string[]).length, 2);
  });
  await t.step("keygen", async () => {
    assertEquals((await result(["keygen", "--output", `${bench.root}/key`])).ok, true);
  });
  await t.step("version", async () => {
    assertEquals(typeof (await result(["version"])).version, "string");
  });
  await t.step("help", async () => {
    for (const args of [["--help"], ["snapshots"], ["create", "--help"], ["help", "restore"]]) {
      const { code, out } = await run(bench, args, { env: { INFRAHUB_LOG_FORMAT: "json" } });
      assertEquals([code, out.map(({ type }) => type)], [0, ["text"]], args.join(" "));
    }
  });
});

Deno.test("failures and wrong usage are objects as well, and the last one has the exit code", async (t) => {
  await using bench = await Bench.create();
  const rows: [string[], boolean][] = [
    [["bogus"], false],
    [["--bogus"], false],
    [["snapshots", "show"], false],
    [["snapshots", "show", "--jobs", "x", "ab"], false],
    [["snapshots", "list"], false],
    [["restore"], true],
    [["create", "from-files", "--neo4j-path", "/nowhere"], true],
    [["create", "from-commands", "--neo4j-command", "sh -c 'echo x; exit 9'"], true],
    [["create", "from-files", "--neo4j-path", "x", "--backend", "tape"], true],
    [["systemd", "units", "--on-calendar", "a\nb"], false],
  ];
  for (const [args, hasResult] of rows) {
    await t.step(args.join(" "), async () => {
      const { code, out } = await run(bench, args);
      assertEquals([code, out.map(({ ok }) => ok)], [1, hasResult ? [false] : []]);
    });
  }
});

Deno.test("a run that is ended by a signal says so in its last objects", async (t) => {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    await t.step(signal, async () => {
      await using bench = await Bench.create();
      const fifo = `${bench.root}/started`;
      await new Deno.Command("mkfifo", { args: [fifo] }).output();
      const child = bench.start([
        "create",
        "from-commands",
        "--log-format=json",
        "--neo4j-command",
        `sh -c 'echo data; echo $$ > ${fifo}; exec sleep 1000'`,
      ]);
      await Deno.readTextFile(fifo); // waits for the command
      child.kill(signal);
      const output = await child.output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      const { out, err } = parsed({
        code: output.code,
        stdout: text(output.stdout),
        stderr: text(output.stderr),
      });
      assertEquals(output.code, code);
      assertEquals(out, [{
        type: "result",
        command: "create from-commands",
        ok: false,
        error: `interrupted by ${signal}`,
      }]);
      const last = err.at(-1);
      assertEquals([last?.type, last?.exit_code, last?.signal], ["error", code, signal]);
    });
  }
});
