import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { writeJson } from "../report/mod.ts";
import { type SessionProvider } from "../session/mod.ts";
import { VERSION } from "../process/mod.ts";

/** Adds `version`. */
export function addVersion(root: CommandUnknownOpts, session: SessionProvider): void {
  root.command("version")
    .description("Print the version")
    .action(() => {
      const current = session();
      if (current.json) writeJson(current, { version: VERSION });
      else current.context.writeOut(`Version: ${VERSION}\n`);
    });
}
