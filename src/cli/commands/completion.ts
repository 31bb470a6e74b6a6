import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { Argument } from "@commander-js/extra-typings";
import { bashCompletion, fishCompletion, zshCompletion } from "../syntax/mod.ts";
import type { SessionProvider } from "../session/mod.ts";

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** Adds `completion`. */
export function addCompletion(root: CommandUnknownOpts, session: SessionProvider): void {
  root.command("completion")
    .description("Print a script that completes commands and flags in a shell")
    .addArgument(new Argument("<shell>", "shell").choices(["bash", "zsh", "fish"] as const))
    .action((shell) => session().context.writeOut(SCRIPTS[shell](root)));
}
