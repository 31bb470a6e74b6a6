import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { allCommands } from "../../../src/cli/syntax/command_line.ts";
import { defaultCommandOf } from "../../../src/cli/syntax/default_command.ts";
import { run, VERSION } from "../../../src/cli/mod.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { ToolError } from "../../../src/errors/mod.ts";
import { recordingContext } from "./_support.ts";

async function execute(argv: readonly string[], variables: Record<string, string> = {}) {
  const context = recordingContext(variables);
  const code = await run(argv, context);
  return { code, out: context.out(), err: context.err() };
}

Deno.test("run prints help on standard output and succeeds", async (t) => {
  for (const argv of [[], ["--help"], ["-h"], ["help"], ["snapshots"], ["snapshots", "--help"]]) {
    await t.step(argv.join(" ") || "(nothing)", async () => {
      const { code, out, err } = await execute(argv);
      assertEquals([code, err], [0, ""]);
      assertMatch(out, /^Usage: infrahub-backup/);
      assertStringIncludes(out, "Exit status:");
    });
  }
});

Deno.test("run shows global options in the help of every command", async () => {
  const { out } = await execute(["snapshots", "check", "--help"]);
  assertStringIncludes(out, "--fast");
  assertStringIncludes(out, "--repo <location>");
  assertStringIncludes(out, "(env: INFRAHUB_REPO)");
});

Deno.test("run prints the version on standard output", async () => {
  for (const argv of [["version"], ["--version"]]) {
    assertEquals(await execute(argv), { code: 0, out: `Version: ${VERSION}\n`, err: "" });
  }
});

Deno.test("run writes usage errors once, and exits with 1", async (t) => {
  const plakar = ["--backend", "plakar"];
  const rows: [string[], string][] = [
    [
      ["bogus"],
      'unknown command "bogus" for "infrahub-backup"\nRun \'infrahub-backup --help\' for usage.',
    ],
    [
      ["snapshots", "bogus"],
      'unknown command "bogus" for "infrahub-backup snapshots"\n' +
      "Run 'infrahub-backup snapshots --help' for usage.",
    ],
    [["--zz"], "unknown flag: --zz"],
    [["snapshots", "list", "--zz=1"], "unknown flag: --zz=1"],
    [
      ["create", "--backup-dir=~/backups"],
      'invalid argument "~/backups" for "--backup-dir" flag: the ~ was not expanded: write the ' +
      "whole path, or ./ before it if it is a name",
    ],
    [
      ["restore", "a", "--to", '"x"'],
      'invalid argument "\\"x\\"" for "--to" flag: it has quotes around it',
    ],
    [["keygen", "-o="], "--output needs the name of a file"],
    [
      ["snapshots", "list", "--log-format", "jsn"],
      'invalid argument "jsn" for "--log-format" flag: Allowed choices are text, json.',
    ],
    [["snapshots", "list", "--repo"], "flag needs an argument: --repo"],
    [["snapshots", "list"], "--repo is required for snapshots list"],
    [["snapshots", "show", "ab"], "--repo is required for snapshots show"],
    [["snapshots", "cat", "ab"], "--repo is required for snapshots cat"],
    [["snapshots", "check"], "--repo is required for snapshots check"],
    [["snapshots", "show"], "missing required argument 'id'"],
    [
      ["snapshots", "check", "ab", "--backup-id", "x"],
      "snapshot IDs and --backup-id cannot be used together",
    ],
    [
      ["snapshots", "check", "--snapshot", "ab", "--backup-id", "x"],
      "--snapshot and --backup-id cannot be used together",
    ],
    [["create", "from-files"], 'required flag(s) "neo4j-path" not set'],
    [["create", "from-commands"], 'required flag(s) "neo4j-command" not set'],
    [
      ["create", "from-files", "--neo4j-path", "x", "--backend", "zip"],
      "unknown backend: zip, expected 'tarball' or 'plakar'",
    ],
    [
      ["create", "from-commands", "--neo4j-command", "x"],
      '"create from-commands" stores into a repository only: ' +
      "use --backend plakar --repo <location>",
    ],
    [
      ["create", "from-files", "--neo4j-path", "x", ...plakar],
      "--repo is required when using plakar backend",
    ],
    [
      ["create", "from-files", "--neo4j-path", "", ...plakar, "--repo", "r"],
      "neo4j backup path is required",
    ],
    [
      ["create", "from-files", "--neo4j-path", "/nowhere", ...plakar, "--repo", "r", "--quiet"],
      "neo4j backup path not accessible: /nowhere: no such file or directory",
    ],
    [
      [
        "create",
        "from-commands",
        "--neo4j-command",
        "x",
        ...plakar,
        "--repo",
        "r",
        "--neo4j-edition",
        "z",
      ],
      "unknown neo4j edition: z, expected 'enterprise' or 'community'",
    ],
    [
      ["create", "from-commands", "--neo4j-command", "cat 'x", ...plakar, "--repo", "r"],
      'invalid argument "cat \'x" for "--neo4j-command" flag: ' +
      "command has an unbalanced quote: cat 'x",
    ],
    [
      ["create", "from-commands", "--neo4j-command", " ", ...plakar, "--repo", "r"],
      'invalid argument " " for "--neo4j-command" flag: command is empty',
    ],
    [
      ["create", "from-commands", "--neo4j-command", "x", "--stream-timeout", "300"],
      'invalid argument "300" for "--stream-timeout" flag: time: missing unit in duration "300"',
    ],
    [
      ["restore", "--to", "x"],
      "requires exactly 1 arg(s), only received 0",
    ],
    [["restore", ...plakar], "--repo is required when using plakar backend"],
    [
      ["restore", ...plakar, "--repo", "r", "--to", ""],
      "--to needs the name of a directory",
    ],
    [
      ["restore", ...plakar, "--repo", "r", "--to", "x", "a.tar.gz"],
      "plakar backend takes no backup file: a.tar.gz",
    ],
    [
      ["restore", ...plakar, "--repo", "r", "--to", "x", "--snapshot", "a", "--backup-id", "b"],
      "--snapshot and --backup-id cannot be used together",
    ],
    [
      ["restore", ...plakar, "--repo", "r", "--to", "x", "--s3-bucket", "b"],
      "--s3-upload and related S3 flags cannot be used with plakar backend; " +
      "use --repo s3://... instead",
    ],
    [
      ["completion", "tcsh"],
      'invalid argument "tcsh" for shell: Allowed choices are bash, zsh, fish.',
    ],
  ];
  for (const [argv, message] of rows) {
    await t.step(argv.join(" "), async () => {
      assertEquals(await execute(argv), { code: 1, out: "", err: `Error: ${message}\n` });
    });
  }
});

Deno.test("run takes variables for flags in all checks", async () => {
  const { code, err } = await execute(["restore", "--to", "x"], {
    INFRAHUB_BACKEND: "plakar",
    INFRAHUB_REPO: "r",
    INFRAHUB_S3_PREFIX: "p",
  });
  assertEquals(code, 1);
  assertStringIncludes(err, "--s3-upload and related S3 flags");
});

Deno.test("run refuses a log format from a variable that there is not", async () => {
  const { code, err } = await execute(["snapshots", "list"], { INFRAHUB_LOG_FORMAT: "jsn" });
  assertEquals([code, err], [
    1,
    'Error: invalid value "jsn" of INFRAHUB_LOG_FORMAT: Allowed choices are text, json.\n',
  ]);
});

Deno.test("run refuses a bare number as a duration from a variable", async () => {
  const { code, err } = await execute(["create", "from-commands", "--neo4j-command", "x"], {
    INFRAHUB_STREAM_TIMEOUT: "300",
  });
  assertEquals([code, err], [
    1,
    'Error: invalid value "300" of INFRAHUB_STREAM_TIMEOUT: ' +
    'time: missing unit in duration "300"\n',
  ]);
});

Deno.test("run shows the options of a deployment's backup in the help of create", async () => {
  const { code, out } = await execute(["create", "--help"]);
  assertEquals(code, 0);
  for (const text of ["--redact", "INFRAHUB_REDACT", "--resume <id>", "from-files", "3 when"]) {
    assertStringIncludes(out, text);
  }
  assertEquals(/^ {2}deployment/m.test(out), false);
  const files = await execute(["create", "from-files", "--help"]);
  assertEquals(files.out.includes("--redact"), false);
  const { err } = await execute(["create", "from-files", "--neo4j-path", "x", "--redact"]);
  assertEquals(err, "Error: unknown flag: --redact\n");
});

Deno.test("run has the commands of infrahub-taskmanager when it is called so", async () => {
  const context = recordingContext({}, { program: "infrahub-taskmanager" });
  assertEquals(await run([], context), 0);
  assertMatch(context.out(), /^Usage: infrahub-taskmanager/);
  for (const command of ["flush", "environment", "version", "completion"]) {
    assertMatch(context.out(), new RegExp(`^  ${command}\\b`, "m"));
  }
  assertEquals(/^ {2}(create|restore)\b/m.test(context.out()), false);
  for (const prefix of [[], ["tasks"]]) {
    const program = prefix.length === 0 ? "infrahub-taskmanager" : "infrahub-backup";
    const many = recordingContext({}, { program });
    assertEquals(await run([...prefix, "flush", "flow-runs", "1", "2", "3"], many), 1);
    assertEquals(many.err(), "Error: accepts between 0 and 2 arg(s), received 3\n");
    const word = recordingContext({}, { program });
    assertEquals(await run([...prefix, "flush", "stale-runs", "x"], word), 1);
    assertEquals(word.err(), 'Error: strconv.Atoi: parsing "x": invalid syntax\n');
  }
});

Deno.test("run writes errors as one JSON line in JSON mode, and nothing else", async (t) => {
  const rows: [string[], Record<string, string>][] = [
    [["snapshots", "list", "--log-format", "json"], {}],
    [["--log-format=json", "snapshots", "list"], {}],
    [["snapshots", "list"], { INFRAHUB_LOG_FORMAT: "json" }],
    [["--zz", "--log-format", "json"], {}],
    [["--zz"], { INFRAHUB_LOG_FORMAT: "json" }],
  ];
  for (const [argv, variables] of rows) {
    await t.step(argv.join(" "), async () => {
      const { code, out, err } = await execute(argv, variables);
      assertEquals([code, out], [1, ""]);
      const { level, msg } = JSON.parse(err);
      assertEquals(level, "error");
      assertMatch(msg, /^Command failed: (--repo is required|unknown flag: --zz)/);
    });
  }
});

Deno.test("run shows the hint of an error on a line of its own, and ends with its code", async () => {
  class HintedError extends ToolError {
    override readonly exitCode = 7;
  }
  const hinted = new HintedError("nothing at https://me:word@host", { hint: "ask https://a:b@c" });
  const detectEnvironment = () => Promise.reject(new Error("no deployment", { cause: hinted }));
  const wrapped = recordingContext({}, { detectEnvironment });
  assertEquals(await run(["environment", "detect"], wrapped), 1);
  assertStringIncludes(wrapped.err(), "\nError: no deployment\nHint: ask https://***@c\n");
  const argv = ["create", "--log-format", "json"];
  const json = recordingContext({}, { detectEnvironment: () => Promise.reject(hinted) });
  assertEquals(await run(argv, json), 7);
  const error = JSON.parse(json.err().trim().split("\n").at(-1) ?? "");
  assertEquals([error.exit_code, error.hint], [7, "ask https://***@c"]);
  const result = JSON.parse(json.out());
  assertEquals([result.ok, result.hint], [false, "ask https://***@c"]);
});

Deno.test("run shows a stack only at level debug", async () => {
  const argv = ["snapshots", "list", "--repo", "bogus://x"];
  const plain = await execute(argv);
  assertEquals(plain.code, 1);
  assertMatch(plain.err, /^Error: failed to open plakar repository bogus:\/\/x: [^\n]*\n$/);
  assertStringIncludes((await execute([...argv, "--log-level", "debug"])).err, "    at ");
});

Deno.test("run never shows the credentials in a repository's location", async () => {
  for (const format of ["text", "json"]) {
    const { err } = await execute([
      "snapshots",
      "list",
      "--repo",
      "s3://AKIA:se/cret@host/bucket",
      "--log-format",
      format,
      "--log-level",
      "debug",
    ]);
    assertEquals([err.includes("AKIA"), err.includes("cret")], [false, false], err);
    assertStringIncludes(err, "s3://***@host/bucket");
  }
});

Deno.test("completion prints a script that knows every command and flag", async (t) => {
  const { root } = createProgram(recordingContext());
  const hidden = allCommands(root).map(defaultCommandOf);
  const commands = allCommands(root).filter((command) => !hidden.includes(command));
  for (const shell of ["bash", "zsh", "fish"]) {
    await t.step(shell, async () => {
      const { code, out } = await execute(["completion", shell]);
      assertEquals(code, 0);
      for (const command of commands) {
        assertStringIncludes(out, command.name());
        for (const option of command.options) {
          const long = option.long ?? "";
          assertStringIncludes(out, shell === "fish" ? ` -l ${long.slice(2)} ` : long);
        }
      }
    });
  }
});

Deno.test("the bash completion completes commands, flags and arguments", async (t) => {
  const { out: script } = await execute(["completion", "bash"]);
  const rows: [string, string[]][] = [
    ["snapshots c", ["cat", "check"]],
    ["--repo r snapshots c", ["cat", "check"]],
    ["create from-files --neo", ["--neo4j-path", "--neo4j-edition"]],
    ["create --re", ["--redact", "--resume", "--repo"]],
    ["create fr", ["from-files", "from-commands"]],
    ["restore --to", ["--to"]],
    ["completion f", ["fish"]],
  ];
  for (const [line, want] of rows) {
    await t.step(line, async () => {
      const words = ["infrahub-backup", ...line.split(" ")].map((word) => `'${word}'`).join(" ");
      const { stdout } = await new Deno.Command("bash", {
        args: [
          "-c",
          `${script}\nCOMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))\n` +
          "_infrahub_backup; printf '%s\\n' \"${COMPREPLY[@]}\"",
        ],
      }).output();
      assertEquals(new TextDecoder().decode(stdout).trim().split("\n"), want);
    });
  }
});
