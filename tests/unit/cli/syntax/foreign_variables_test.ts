import { assert, assertEquals } from "@std/assert";
import { allCommands } from "../../../../src/cli/syntax/command_line.ts";
import { honoursEnvironment, variableOf } from "../../../../src/cli/syntax/options.ts";
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
