import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { SessionProvider } from "../../session/mod.ts";
import { actAsMenu } from "../../syntax/mod.ts";
import { addSystemdUnits } from "./units.ts";

/** Adds `systemd` and what is below it. */
export function addSystemd(root: CommandUnknownOpts, session: SessionProvider): void {
  const systemd = root.command("systemd").description("Run backups as a service of systemd");
  actAsMenu(systemd);
  addSystemdUnits(systemd, root, session);
}
