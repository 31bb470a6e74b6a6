import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { addCreateDeployment } from "./deployment.ts";
import { addCreateFromCommands } from "./from_commands.ts";
import { addCreateFromFiles } from "./from_files.ts";
import { setDefaultCommand } from "../../syntax/mod.ts";
import type { SessionProvider } from "../../session/mod.ts";

/** Adds `create` and what is below it. */
export function addCreate(root: CommandUnknownOpts, session: SessionProvider): void {
  const create = root.command("create").description(
    "Back up the running deployment; or files, or what commands write, with a sub-command",
  );
  addCreateFromFiles(create, session);
  addCreateFromCommands(create, session);
  setDefaultCommand(create, addCreateDeployment(create, session));
}
