import { assertEquals, assertRejects } from "@std/assert";
import type { CommandUnknownOpts, OptionValues } from "@commander-js/extra-typings";
import { allCommands } from "../../../../src/cli/syntax/command_line.ts";
import { defaultCommandOf } from "../../../../src/cli/syntax/default_command.ts";
import { honoursEnvironment, variableOf } from "../../../../src/cli/syntax/options.ts";
import { createProgram } from "../../../../src/cli/program.ts";
import { UsageError } from "../../../../src/cli/syntax/usage_error.ts";
import { recordingContext } from "../_support.ts";

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
  ["--deployment", "INFRAHUB_BACKUP_DEPLOYMENT", "deployment", undefined, "prod"],
  [
    "--service-timeout",
    "INFRAHUB_BACKUP_SERVICE_TIMEOUT",
    "serviceTimeout",
    undefined,
    "20m",
    1_200_000,
  ],
  ["--log-format", "INFRAHUB_LOG_FORMAT", "logFormat", "text", "json"],
  ["--log-level", "INFRAHUB_BACKUP_LOG_LEVEL", "logLevel", "info", "debug"],
  ["--backend", "INFRAHUB_BACKEND", "backend", "tarball", "plakar"],
  ["--repo", "INFRAHUB_REPO", "repo", undefined, "/r"],
  ["--backup-id", "INFRAHUB_BACKUP_ID", "backupId", undefined, "20260318_143000"],
  ["--snapshot", "INFRAHUB_SNAPSHOT", "snapshot", undefined, "abc"],
  ["--s3-bucket", "INFRAHUB_S3_BUCKET", "s3Bucket", undefined, "bucket"],
  ["--s3-prefix", "INFRAHUB_S3_PREFIX", "s3Prefix", undefined, "prefix"],
  ["--s3-endpoint", "INFRAHUB_S3_ENDPOINT", "s3Endpoint", undefined, "http://s3"],
  ["--s3-region", "INFRAHUB_S3_REGION", "s3Region", "us-east-1", "eu-west-1"],
  ["--cache-dir", "INFRAHUB_CACHE_DIR", "cacheDir", undefined, "/c"],
  ["--wait-lock", "INFRAHUB_BACKUP_WAIT_LOCK", "waitLock", undefined, "30m", 1_800_000],
  ["--jobs", "INFRAHUB_JOBS", "jobs", undefined, "3", 3],
  ["--progress-interval", "INFRAHUB_PROGRESS_INTERVAL", "progressInterval", 30_000, "7s", 7_000],
  ["--metrics-file", "INFRAHUB_METRICS_FILE", "metricsFile", undefined, "/m.prom"],
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
      const other = flag === "--log-level" ? "error" : typeof fallback === "number" ? "0" : "7";
      const both = await parse(["probe", flag, value], { [variable]: other });
      assertEquals(both[key], parsed);
    });
  }
});

/** Command, flag, variable, key, default, and a value to set; booleans have no value. */
const COMMAND_OPTIONS: readonly [string, string, string, string, unknown, string?, unknown?][] = [
  ["create", "--force", "INFRAHUB_FORCE", "force", undefined],
  ["create", "--redact", "INFRAHUB_REDACT", "redact", undefined],
  ["create", "--neo4jmetadata", "INFRAHUB_NEO4JMETADATA", "neo4jmetadata", "all", "none"],
  [
    "create",
    "--exclude-taskmanager",
    "INFRAHUB_EXCLUDE_TASKMANAGER",
    "excludeTaskmanager",
    undefined,
  ],
  [
    "create",
    "--neo4j-edition",
    "INFRAHUB_NEO4J_EDITION",
    "neo4jEdition",
    undefined,
    "Community",
    "community",
  ],
  ["create", "--wait-timeout", "INFRAHUB_WAIT_TIMEOUT", "waitTimeout", 3_600_000, "0", 0],
  [
    "create",
    "--stream-timeout",
    "INFRAHUB_STREAM_TIMEOUT",
    "streamTimeout",
    1_800_000,
    "1m",
    60_000,
  ],
  ["create", "--shrink-warning", "INFRAHUB_SHRINK_WARNING", "shrinkWarning", 50, "20", 20],
  [
    "create",
    "--keep-dump-compression",
    "INFRAHUB_KEEP_DUMP_COMPRESSION",
    "keepDumpCompression",
    undefined,
  ],
  ["create", "--encrypt", "INFRAHUB_ENCRYPT", "encrypt", undefined],
  ["create", "--encrypt-key", "INFRAHUB_ENCRYPT_KEY", "encryptKey", undefined, "/k.pub"],
  ["create", "--sleep", "INFRAHUB_SLEEP", "sleep", 0, "1h30m", 5_400_000],
  ["create", "--s3-upload", "INFRAHUB_S3_UPLOAD", "s3Upload", undefined],
  ["create", "--s3-keep-local", "INFRAHUB_S3_KEEP_LOCAL", "s3KeepLocal", undefined],
  ["create from-files", "--encrypt", "INFRAHUB_ENCRYPT", "encrypt", undefined],
  ["create from-files", "--encrypt-key", "INFRAHUB_ENCRYPT_KEY", "encryptKey", undefined, "/k"],
  ["create from-commands", "--encrypt", "INFRAHUB_ENCRYPT", "encrypt", undefined],
  [
    "create from-commands",
    "--stream-timeout",
    "INFRAHUB_STREAM_TIMEOUT",
    "streamTimeout",
    1_800_000,
    "90s",
    90_000,
  ],
  ["create", "--with-storage", "INFRAHUB_WITH_STORAGE", "withStorage", undefined],
  ["restore", "--migrate-format", "INFRAHUB_MIGRATE_FORMAT", "migrateFormat", undefined],
  [
    "restore",
    "--reset-deployment-id",
    "INFRAHUB_RESET_DEPLOYMENT_ID",
    "resetDeploymentId",
    undefined,
  ],
  ["restore", "--decrypt-key", "INFRAHUB_DECRYPT_KEY", "decryptKey", undefined, "/k"],
  [
    "restore",
    "--neo4j-edition",
    "INFRAHUB_NEO4J_EDITION",
    "neo4jEdition",
    undefined,
    "ENTERPRISE",
    "enterprise",
  ],
  ["restore", "--stream-timeout", "INFRAHUB_STREAM_TIMEOUT", "streamTimeout", 1_800_000, "0", 0],
  ["restore", "--sleep", "INFRAHUB_SLEEP", "sleep", 0, "5s", 5_000],
];

/** Flags without a variable, on purpose or because the reference gives them none. */
const FLAGS_ONLY: readonly [string, string][] = [
  ["create", "--resume"],
  ["create", "--init"],
  ["create from-files", "--init"],
  ["create from-commands", "--init"],
  ["create", "--no-wait"],
  ["create from-files", "--neo4j-path"],
  ["create from-files", "--postgres-path"],
  ["create from-files", "--neo4j-edition"],
  ["create from-files", "--infrahub-version"],
  ["create from-files", "--format"],
  ["create from-commands", "--format"],
  ["create from-commands", "--neo4j-command"],
  ["create from-commands", "--postgres-command"],
  ["create from-commands", "--neo4j-edition"],
  ["create from-commands", "--infrahub-version"],
  ["restore", "--flush-cache"],
  ["restore", "--exclude-taskmanager"],
  ["restore", "--force"],
  ["restore", "--dry-run"],
  ["restore", "--from-deployment"],
  ["restore", "--to"],
  ["restore", "--no-wait"],
  ["restore", "--upgrade"],
  ["restore", "--recover"],
  ["restore", "--yes"],
  ["repo unlock", "--force"],
  ["restore", "--keep-old"],
  ["keygen", "--output"],
  ["keygen", "--force"],
  ["environment detect", "--json"],
  ["environment list", "--json"],
  ["snapshots check", "--fast"],
  ["snapshots check", "--dumps"],
  ["systemd units", "--on-calendar"],
  ["systemd units", "--install"],
  ["systemd units", "--force"],
  ["systemd units", "--name"],
  ["systemd units", "--user"],
  ["systemd units", "--on-failure"],
  ["systemd units", "--executable"],
];

/** Path of a command; what `create` does by itself counts as `create`. */
function pathOf(command: CommandUnknownOpts): string {
  const names: string[] = [];
  for (let current = command; current.parent !== null; current = current.parent) {
    if (current !== defaultCommandOf(current.parent)) names.unshift(current.name());
  }
  return names.join(" ");
}

/** Parses the command line of a command that then does nothing, and returns its own options. */
async function parseCommand(
  path: string,
  argv: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<OptionValues> {
  const { root, run } = createProgram(recordingContext(variables));
  const command = allCommands(root).findLast((one) => pathOf(one) === path);
  if (command === undefined) throw new Error(`no command ${path}`);
  command.action(() => {});
  const required = command.options.filter((option) => option.mandatory)
    .flatMap((option) => [option.long ?? "", "x"]);
  await run([...path.split(" "), ...required, ...argv]);
  return command.opts();
}

Deno.test("options of commands come from the flag, else the variable, else the default", async (t) => {
  for (const [path, flag, variable, key, fallback, value, parsed = value] of COMMAND_OPTIONS) {
    await t.step(`${path} ${flag}`, async () => {
      assertEquals((await parseCommand(path, []))[key], fallback);
      assertEquals((await parseCommand(path, [], { [variable]: "" }))[key], fallback);
      if (value === undefined) {
        assertEquals((await parseCommand(path, [flag]))[key], true);
        assertEquals((await parseCommand(path, [], { [variable]: "t" }))[key], true);
        assertEquals((await parseCommand(path, [flag], { [variable]: "0" }))[key], true);
        const denied = await parseCommand(path, [`${flag}=false`], { [variable]: "1" });
        assertEquals(denied[key], undefined);
        await assertRejects(() => parseCommand(path, [], { [variable]: "maybe" }), UsageError);
        return;
      }
      assertEquals((await parseCommand(path, [flag, value]))[key], parsed);
      assertEquals((await parseCommand(path, [], { [variable]: value }))[key], parsed);
      const other = typeof fallback === "number" ? "7" : key === "neo4jmetadata" ? "users" : value;
      const both = await parseCommand(path, [`${flag}=${value}`], { [variable]: other });
      assertEquals(both[key], parsed);
    });
  }
});

Deno.test("every option has a row in this file", () => {
  const { root } = createProgram(recordingContext());
  const found = allCommands(root).flatMap((command) =>
    command.options.map((option) =>
      [pathOf(command), option.long, honoursEnvironment(option) ? variableOf(option) : "-"]
        .join(" ").trim()
    )
  );
  const rows = [
    "--version -",
    "--passphrase-file -",
    "--quiet INFRAHUB_QUIET",
    "--host INFRAHUB_BACKUP_HOST",
    "--container INFRAHUB_BACKUP_CONTAINER",
    "--host-unit INFRAHUB_HOST_UNIT",
    ...GLOBAL_OPTIONS.map(([flag, variable]) => `${flag} ${variable}`),
    ...COMMAND_OPTIONS.map(([path, flag, variable]) => `${path} ${flag} ${variable}`),
    ...FLAGS_ONLY.map(([path, flag]) => `${path} ${flag} -`),
  ];
  assertEquals(found.toSorted(), rows.toSorted());
});

Deno.test("--host-unit may be repeated, and its variable has a list", async () => {
  const units = { database: "neo4j.service", cache: "redis" };
  const argv = ["probe", "--host-unit", "database=neo4j.service", "--host-unit", "cache=redis"];
  assertEquals((await parse(argv)).hostUnit, units);
  const variables = { INFRAHUB_HOST_UNIT: "database=neo4j.service,cache=redis" };
  assertEquals((await parse(["probe"], variables)).hostUnit, units);
  await assertRejects(() => parse(["probe", "--host-unit", "redis"]));
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
      { INFRAHUB_BACKUP_LOG_LEVEL: "loud" },
      'invalid value "loud" of INFRAHUB_BACKUP_LOG_LEVEL: Allowed choices are debug, info, warning, error.',
    ],
  ];
  for (const [argv, variables, message] of rows) {
    await t.step(message, async () => {
      await assertRejects(() => parse([...argv, "probe"], variables), UsageError, message);
    });
  }
});
