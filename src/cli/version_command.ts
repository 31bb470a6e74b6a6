import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { SessionProvider } from "./session.ts";
import { VERSION } from "./version.ts";

/** Adds `version`. */
export function addVersion(root: CommandUnknownOpts, session: SessionProvider): void {
  root.command("version")
    .description("Print the version")
    .action(() => session().context.writeOut(`Version: ${VERSION}\n`));
}
