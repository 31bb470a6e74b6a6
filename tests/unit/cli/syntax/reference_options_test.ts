/**
 * Every flag and variable that the Go tool has, row by row of its reference: scripts that use them
 * must go on working. What this program adds is in `options_test.ts`.
 */

import { assertEquals } from "@std/assert";
import type { CommandUnknownOpts, OptionValues } from "@commander-js/extra-typings";
import { allCommands } from "../../../../src/cli/syntax/command_line.ts";
import { defaultCommandOf } from "../../../../src/cli/syntax/default_command.ts";
import { run } from "../../../../src/cli/mod.ts";
import { honoursEnvironment, variableOf } from "../../../../src/cli/syntax/options.ts";
import { createProgram } from "../../../../src/cli/program.ts";
import { backupDirectory, type Session } from "../../../../src/cli/session/mod.ts";
import { recordingContext } from "../_support.ts";

/** What a flag takes. */
type Kind = "bool" | "string" | "duration";

/** Command, flag, what it takes, value when it is not given, and whether a variable may give it. */
type Row = readonly [
  path: string,
  flag: string,
  kind: Kind,
  fallback: unknown,
  hasVariable: boolean,
];

/**
 * Of the persistent flags, the commands stand for all. The variables of `restore` are among what the
 * Go tool promises and does not keep, but for two that are exported for backups; a boolean that is not
 * given is not set, which is false.
 */
const ROWS: readonly Row[] = [
  ["", "--project", "string", undefined, true],
  ["", "--backup-dir", "string", undefined, true],
  ["", "--k8s-namespace", "string", undefined, true],
  ["", "--log-format", "string", "text", true],
  ["", "--backend", "string", "tarball", true],
  ["", "--repo", "string", undefined, true],
  ["", "--backup-id", "string", undefined, true],
  ["", "--snapshot", "string", undefined, true],
  ["", "--s3-bucket", "string", undefined, true],
  ["", "--s3-prefix", "string", undefined, true],
  ["", "--s3-endpoint", "string", undefined, true],
  ["", "--s3-region", "string", "us-east-1", true],
  ["create", "--force", "bool", undefined, true],
  ["create", "--redact", "bool", undefined, true],
  ["create", "--neo4jmetadata", "string", "all", true],
  ["create", "--exclude-taskmanager", "bool", undefined, true],
  ["create", "--s3-upload", "bool", undefined, true],
  ["create", "--s3-keep-local", "bool", undefined, true],
  ["create", "--sleep", "duration", 0, true],
  ["create", "--encrypt", "bool", undefined, true],
  ["create", "--encrypt-key", "string", undefined, true],
  ["restore", "--exclude-taskmanager", "bool", undefined, false],
  ["restore", "--migrate-format", "bool", undefined, true],
  ["restore", "--sleep", "duration", 0, true],
  ["restore", "--decrypt-key", "string", undefined, true],
  ["restore", "--force", "bool", undefined, false],
  ["restore", "--reset-deployment-id", "bool", undefined, true],
  ["create from-files", "--neo4j-path", "string", undefined, false],
  ["create from-files", "--postgres-path", "string", undefined, false],
  ["create from-files", "--neo4j-edition", "string", undefined, false],
  ["create from-files", "--infrahub-version", "string", undefined, false],
  ["create from-files", "--encrypt", "bool", undefined, true],
  ["create from-files", "--encrypt-key", "string", undefined, true],
  ["keygen", "--output", "string", "backup.key", false],
];

/** Path of a command; what `create` does by itself counts as `create`. */
function pathOf(command: CommandUnknownOpts): string {
  const names: string[] = [];
  for (let current = command; current.parent !== null; current = current.parent) {
    if (current !== defaultCommandOf(current.parent)) names.unshift(current.name());
  }
  return names.join(" ");
}

/** Values of a command's own and the persistent options, once the command would run. */
async function parse(
  path: string,
  argv: readonly string[],
  { before = [], variables = {} }: {
    before?: readonly string[];
    variables?: Readonly<Record<string, string>>;
  } = {},
): Promise<OptionValues> {
  const program = createProgram(recordingContext(variables));
  const words = path === "" ? "keygen" : path;
  const command = allCommands(program.root).findLast((one) => pathOf(one) === words);
  if (command === undefined) throw new Error(`no command ${words}`);
  let ran = false;
  command.action(() => void (ran = true));
  const required = words === "create from-files" && !argv.join(" ").includes("--neo4j-path")
    ? ["--neo4j-path", "/somewhere"]
    : [];
  await program.run([...before, ...words.split(" "), ...required, ...argv]);
  assertEquals(ran, true);
  return path === "" ? program.root.opts() : command.opts();
}

/** Key under which Commander keeps a value. */
function keyOf(flag: string): string {
  return flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Two values that differ from each other and from the default: as written, and as read. */
function valuesOf(flag: string, kind: Kind): readonly [string, unknown][] {
  if (kind === "duration") return [["90s", 90_000], ["1h", 3_600_000]];
  if (flag === "--log-format") return [["json", "json"], ["text", "text"]];
  if (flag === "--neo4jmetadata") return [["users", "users"], ["roles", "roles"]];
  if (flag === "--neo4j-edition") {
    return [["enterprise", "enterprise"], ["community", "community"]];
  }
  return [["/one", "/one"], ["two", "two"]];
}

Deno.test("every flag of the Go tool: default, flag, variable, and flag before variable", async (t) => {
  for (const [path, flag, kind, fallback, hasVariable] of ROWS) {
    await t.step(`${path} ${flag}`.trim(), async () => {
      const key = keyOf(flag);
      const variable = `INFRAHUB_${flag.slice(2).toUpperCase().replaceAll("-", "_")}`;
      const value = async (
        argv: readonly string[],
        variables: Readonly<Record<string, string>> = {},
      ) => (await parse(path, argv, { variables }))[key];
      if (flag !== "--neo4j-path") {
        assertEquals(await value([]), fallback);
        assertEquals(await value([], { [variable]: "" }), fallback, "an empty one is none");
      }
      if (kind === "bool") {
        assertEquals(await value([flag]), true);
        assertEquals(await value([`${flag}=true`]), true);
        assertEquals(await value([`${flag}=false`]), undefined);
        assertEquals(await value([`${flag}=false`], { [variable]: "true" }), undefined);
        if (!hasVariable) return assertEquals(await value([], { [variable]: "true" }), undefined);
        for (const yes of ["1", "t", "T", "TRUE", "true", "True"]) {
          assertEquals(await value([], { [variable]: yes }), true, yes);
        }
        for (const no of ["0", "f", "F", "FALSE", "false", "False"]) {
          assertEquals(await value([], { [variable]: no }), false, no);
          assertEquals(await value([flag], { [variable]: no }), true, no);
        }
        return;
      }
      const [[first, read], [second, other]] = valuesOf(flag, kind) as [
        [string, unknown],
        [string, unknown],
      ];
      assertEquals(await value([flag, first]), read);
      assertEquals(await value([`${flag}=${first}`]), read);
      assertEquals(await value([flag, first, flag, second]), other, "the last one counts");
      if (!hasVariable) {
        const expected = flag === "--neo4j-path" ? "/somewhere" : fallback;
        assertEquals(await value([], { [variable]: first }), expected);
        return;
      }
      assertEquals(await value([], { [variable]: first }), read);
      assertEquals(await value([flag, second], { [variable]: first }), other);
    });
  }
});

Deno.test("every row is an option of the program, with its variable or without one", () => {
  const { root } = createProgram(recordingContext());
  const known = new Set(ROWS.map(([path, flag]) => `${path} ${flag}`));
  for (const [path, flag, , , hasVariable] of ROWS) {
    const option = allCommands(root).filter((one) => pathOf(one) === path)
      .flatMap((command) => command.options).find(({ long }) => long === flag);
    assertEquals(option !== undefined, true, `${path} ${flag}`);
    if (option === undefined) continue;
    assertEquals(honoursEnvironment(option), hasVariable, `${path} ${flag}`);
    assertEquals(
      variableOf(option),
      `INFRAHUB_${flag.slice(2).toUpperCase().replaceAll("-", "_")}`,
    );
  }
  assertEquals(known.size, ROWS.length, "a row stands there twice");
});

Deno.test("persistent flags stand before or after the command", async (t) => {
  for (const [path, flag] of ROWS) {
    if (path !== "") continue;
    await t.step(flag, async () => {
      const [[first]] = valuesOf(flag, "string") as [[string, unknown]];
      const before = await parse("", [], { before: [flag, first] });
      assertEquals(before[keyOf(flag)], first);
      const after = await parse("", [flag, first]);
      assertEquals(after[keyOf(flag)], first);
    });
  }
});

Deno.test("keygen has a short flag, and from-files one that is required", async () => {
  assertEquals((await parse("keygen", ["-o", "k"])).output, "k");
  assertEquals(
    await errorOf(["create", "from-files"]),
    'Error: required flag(s) "neo4j-path" not set\n',
  );
});

/** What the program says of a command line that is wrong; it must fail. */
async function errorOf(
  argv: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  const context = recordingContext(variables);
  assertEquals(await run(argv, context), 1);
  return context.err();
}

Deno.test("a duration without a unit is refused, on the command line and in a variable", async () => {
  assertEquals(
    await errorOf(["create", "--sleep", "300"]),
    'Error: invalid argument "300" for "--sleep" flag: time: missing unit in duration "300"\n',
  );
  // The Go tool takes it for nanoseconds.
  assertEquals(
    await errorOf(["create"], { INFRAHUB_SLEEP: "300" }),
    'Error: invalid value "300" of INFRAHUB_SLEEP: time: missing unit in duration "300"\n',
  );
});

Deno.test("archives: flag before INFRAHUB_BACKUP_DIR before BACKUP_DIR before a folder here", async (t) => {
  const rows: [string[], Record<string, string>, string][] = [
    [[], {}, "/here/infrahub_backups"],
    [[], { BACKUP_DIR: "/b" }, "/b"],
    [[], { BACKUP_DIR: "" }, "/here/infrahub_backups"],
    [[], { BACKUP_DIR: "b" }, "/here/b"],
    [[], { BACKUP_DIR: "/b", INFRAHUB_BACKUP_DIR: "/i" }, "/i"],
    [[], { BACKUP_DIR: "/b", INFRAHUB_BACKUP_DIR: "" }, "/b"],
    [["--backup-dir", "/f"], { BACKUP_DIR: "/b", INFRAHUB_BACKUP_DIR: "/i" }, "/f"],
    [["--backup-dir", "f/g"], {}, "/here/f/g"],
  ];
  for (const [argv, variables, expected] of rows) {
    await t.step(`${argv.join(" ")} ${JSON.stringify(variables)}`, async () => {
      const globals = await parse("", argv, { variables });
      const context = recordingContext(variables, { workingDirectory: () => "/here" });
      const session: Pick<Session, "context"> & { globals: OptionValues } = { context, globals };
      assertEquals(backupDirectory(session as Session), expected);
    });
  }
});
