import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { addCreateFromCommands } from "./create_from_commands.ts";
import { addCreateFromFiles } from "./create_from_files.ts";
import type { SessionProvider } from "./session.ts";
import { UsageError } from "./usage_error.ts";

/** Adds `create` and what is below it. */
export function addCreate(root: CommandUnknownOpts, session: SessionProvider): void {
  const create = root.command("create").description("Make a backup");
  // Not a success: a script that asks for a backup of its deployment must not take it for done.
  create.action(() => {
    create.outputHelp({ error: true });
    throw new UsageError(
      "this version backs up files and the output of commands, not yet a running deployment: " +
        `use "create from-files" or "create from-commands"`,
    );
  });
  addCreateFromFiles(create, session);
  addCreateFromCommands(create, session);
}
