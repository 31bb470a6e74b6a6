import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { SessionProvider } from "../session/mod.ts";
import { addCompletion } from "./completion.ts";
import { addCreate } from "./create/mod.ts";
import { addEnvironment } from "./environment.ts";
import { addKeygen } from "./keygen.ts";
import { addManual } from "./manual.ts";
import { addRepo } from "./repo/mod.ts";
import { addRestore } from "./restore/mod.ts";
import { addSnapshots } from "./snapshots/mod.ts";
import { addSystemd } from "./systemd/mod.ts";
import { addFlush, addTasks } from "./tasks.ts";
import { addUpload } from "./upload.ts";
import { addVersion } from "./version.ts";

/**
 * Adds all commands, in the order in which help lists them.
 *
 * @param isTaskManager whether the program was called by the name of the Go tool's second one
 */
export function addCommands(
  root: CommandUnknownOpts,
  session: SessionProvider,
  isTaskManager: boolean,
): void {
  if (isTaskManager) {
    addFlush(root, session);
  } else {
    addCreate(root, session);
    addRestore(root, session);
    addUpload(root, session);
    addKeygen(root, session);
    addSnapshots(root, session);
    addRepo(root, session);
    addTasks(root, session);
    addSystemd(root, session);
  }
  addEnvironment(root, session);
  addVersion(root, session);
  addCompletion(root, session);
  addManual(root, session);
}
