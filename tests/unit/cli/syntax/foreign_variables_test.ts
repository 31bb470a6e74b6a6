import { assert, assertEquals } from "@std/assert";
import { allCommands, applyEnvironment } from "../../../../src/cli/syntax/command_line.ts";
import { honoursEnvironment, variableOf } from "../../../../src/cli/syntax/options.ts";
import { createRootCommand } from "../../../../src/cli/syntax/root_command.ts";
import { createProgram } from "../../../../src/cli/program.ts";
import { recordingContext } from "../_support.ts";

const LIST = new URL("../../../fixtures/infrahub_variables.txt", import.meta.url);

Deno.test("no option is set by a variable of Infrahub's services", async () => {
  const theirs = (await Deno.readTextFile(LIST)).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assert(theirs.includes("INFRAHUB_LOG_LEVEL") && theirs.includes("INFRAHUB_DB_PASSWORD"));
  const { root } = createProgram(recordingContext({}));
  const options = allCommands(root).flatMap((command) => command.options);
  const ours = new Set(options.filter(honoursEnvironment).map(variableOf));
  assert(ours.has("INFRAHUB_BACKUP_LOG_LEVEL"));
  assertEquals(theirs.filter((name) => ours.has(name)), []);
});

async function optionsOf(variables: Record<string, string>) {
  const root = createRootCommand(false);
  let warnings: string[] = [];
  root.command("probe").action(() => {}).hook("preAction", (command) => {
    warnings = applyEnvironment(command, (name) => variables[name], new Set());
  });
  await root.parseAsync(["probe"], { from: "user" });
  const { host, logLevel } = root.opts();
  return { host, logLevel, warnings };
}

Deno.test("Infrahub's level for logs is understood whatever its case; others are warned of", async () => {
  const rows: [string, string][] = [
    ["INFO", "info"],
    ["debug", "debug"],
    ["Warn", "warning"],
    ["WARNING", "warning"],
    ["CRITICAL", "error"],
  ];
  for (const [text, logLevel] of rows) {
    const none = { host: undefined, warnings: [] };
    assertEquals(await optionsOf({ INFRAHUB_LOG_LEVEL: text }), { ...none, logLevel });
  }
  const own = { INFRAHUB_BACKUP_LOG_LEVEL: "error", INFRAHUB_LOG_LEVEL: "DEBUG" };
  assertEquals((await optionsOf(own)).logLevel, "error");
  const { logLevel, warnings } = await optionsOf({ INFRAHUB_LOG_LEVEL: "loud" });
  assertEquals(logLevel, "info");
  assertEquals(warnings, [
    "INFRAHUB_LOG_LEVEL=loud is not understood here and left aside: " +
    "use INFRAHUB_BACKUP_LOG_LEVEL for this program",
  ]);
});

Deno.test("the name that Infrahub's server listens on does not choose the host", async () => {
  for (const text of ["infrahub.example.com", "1", "0.0.0.0", "t", "false"]) {
    const { host, warnings } = await optionsOf({ INFRAHUB_HOST: text });
    assertEquals([text, host, warnings], [text, undefined, []]);
  }
  // What scripts for earlier versions of this program say.
  assertEquals((await optionsOf({ INFRAHUB_HOST: "true" })).host, true);
  assertEquals((await optionsOf({ INFRAHUB_BACKUP_HOST: "1" })).host, true);
  const both = { INFRAHUB_BACKUP_HOST: "false", INFRAHUB_HOST: "true" };
  assertEquals((await optionsOf(both)).host, false);
});
