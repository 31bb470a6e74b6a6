import { assertEquals, assertRejects } from "@std/assert";
import type { OptionValues } from "@commander-js/extra-typings";
import { allCommands } from "../../../src/cli/command_line.ts";
import { honoursEnvironment, variableOf } from "../../../src/cli/options.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { UsageError } from "../../../src/cli/usage_error.ts";
import { recordingContext } from "./_support.ts";

/** Parses a command line with a command that does nothing, and returns the global options. */
async function parse(
  argv: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<OptionValues> {
  const { root, run } = createProgram(recordingContext(variables));
  root.command("probe").argument("[words...]").option("--local <value>").action(() => {});
  await run(argv);
  return root.opts();
}

/** Flag, variable, key, default, and a value to set; every global option has its row. */
const GLOBAL_OPTIONS: readonly [string, string, string, unknown, string, unknown?][] = [
  ["--project", "INFRAHUB_PROJECT", "project", undefined, "p1"],
  ["--backup-dir", "INFRAHUB_BACKUP_DIR", "backupDir", undefined, "/b"],
  ["--k8s-namespace", "INFRAHUB_K8S_NAMESPACE", "k8sNamespace", undefined, "ns"],
  ["--log-format", "INFRAHUB_LOG_FORMAT", "logFormat", "text", "json"],
  ["--log-level", "INFRAHUB_LOG_LEVEL", "logLevel", "info", "debug"],
  ["--backend", "INFRAHUB_BACKEND", "backend", "tarball", "plakar"],
  ["--repo", "INFRAHUB_REPO", "repo", undefined, "/r"],
  ["--backup-id", "INFRAHUB_BACKUP_ID", "backupId", undefined, "20260318_143000"],
  ["--snapshot", "INFRAHUB_SNAPSHOT", "snapshot", undefined, "abc"],
  ["--s3-bucket", "INFRAHUB_S3_BUCKET", "s3Bucket", undefined, "bucket"],
  ["--s3-prefix", "INFRAHUB_S3_PREFIX", "s3Prefix", undefined, "prefix"],
  ["--s3-endpoint", "INFRAHUB_S3_ENDPOINT", "s3Endpoint", undefined, "http://s3"],
  ["--s3-region", "INFRAHUB_S3_REGION", "s3Region", "us-east-1", "eu-west-1"],
  ["--cache-dir", "INFRAHUB_CACHE_DIR", "cacheDir", undefined, "/c"],
  ["--jobs", "INFRAHUB_JOBS", "jobs", undefined, "3", 3],
];

Deno.test("global options come from the flag, else the variable, else the default", async (t) => {
  for (const [flag, variable, key, fallback, value, parsed = value] of GLOBAL_OPTIONS) {
    await t.step(flag, async () => {
      assertEquals((await parse(["probe"]))[key], fallback);
      assertEquals((await parse(["probe"], { [variable]: value }))[key], parsed);
      assertEquals((await parse(["probe"], { [variable]: "" }))[key], fallback);
      assertEquals((await parse([flag, value, "probe"]))[key], parsed);
      assertEquals((await parse(["probe", flag, value]))[key], parsed);
      assertEquals((await parse(["probe", `${flag}=${value}`]))[key], parsed);
      const other = flag === "--log-level" ? "error" : "7";
      const both = await parse(["probe", flag, value], { [variable]: other });
      assertEquals(both[key], parsed);
    });
  }
});

Deno.test("every option that takes a variable has a row in this file", () => {
  const { root } = createProgram(recordingContext());
  const rows = new Map([
    ...GLOBAL_OPTIONS.map(([flag, variable]): [string, string] => [flag, variable]),
    ["--quiet", "INFRAHUB_QUIET"],
    ["--stream-timeout", "INFRAHUB_STREAM_TIMEOUT"],
  ]);
  const options = allCommands(root).flatMap((command) => command.options)
    .filter(honoursEnvironment);
  assertEquals(
    options.map((option) => `${option.long} ${variableOf(option)}`).sort(),
    [...rows].map(([flag, variable]) => `${flag} ${variable}`).sort(),
  );
});

Deno.test("boolean options take a value, a variable, and neither", async (t) => {
  const rows: [string[], Record<string, string>, boolean | undefined][] = [
    [[], {}, undefined],
    [["--quiet"], {}, true],
    [["--quiet=true"], {}, true],
    [["--quiet=T"], {}, true],
    [["--quiet=false"], {}, undefined],
    [["--quiet", "--quiet=0"], {}, undefined],
    [["--quiet=0", "--quiet"], {}, true],
    [[], { INFRAHUB_QUIET: "1" }, true],
    [[], { INFRAHUB_QUIET: "False" }, false],
    [[], { INFRAHUB_QUIET: "" }, undefined],
    [["--quiet=false"], { INFRAHUB_QUIET: "1" }, undefined],
    [["--quiet"], { INFRAHUB_QUIET: "0" }, true],
  ];
  for (const [argv, variables, want] of rows) {
    await t.step(`${argv.join(" ")} ${JSON.stringify(variables)}`, async () => {
      assertEquals((await parse([...argv, "probe"], variables)).quiet, want);
    });
  }
});

Deno.test("values of other options and words after -- are not taken for booleans", async () => {
  const program = createProgram(recordingContext());
  let seen: unknown;
  program.root.command("probe").argument("[words...]").option("--local <value>")
    .action((words, options) => void (seen = { words, ...options }));
  await program.run(["probe", "--local", "--quiet=false", "a", "--", "--quiet=false"]);
  assertEquals(seen, { words: ["a", "--quiet=false"], local: "--quiet=false" });
});

Deno.test("values that do not fit are errors, wherever they come from", async (t) => {
  const rows: [string[], Record<string, string>, string][] = [
    [
      [],
      { INFRAHUB_QUIET: "yes" },
      'invalid value "yes" of INFRAHUB_QUIET: strconv.ParseBool: parsing "yes": invalid syntax',
    ],
    [
      ["--quiet=yes"],
      {},
      'invalid argument "yes" for "--quiet" flag: strconv.ParseBool: parsing "yes": invalid syntax',
    ],
    [
      [],
      { INFRAHUB_JOBS: "0" },
      'invalid value "0" of INFRAHUB_JOBS: must be a whole number greater than 0',
    ],
    [
      [],
      { INFRAHUB_LOG_LEVEL: "loud" },
      'invalid value "loud" of INFRAHUB_LOG_LEVEL: Allowed choices are debug, info, warning, error.',
    ],
  ];
  for (const [argv, variables, message] of rows) {
    await t.step(message, async () => {
      await assertRejects(() => parse([...argv, "probe"], variables), UsageError, message);
    });
  }
});
