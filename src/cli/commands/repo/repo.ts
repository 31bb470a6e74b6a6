import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { actAsMenu } from "../../syntax/mod.ts";
import { addRepoUnlock } from "./unlock.ts";
import { addRepoValidate } from "./validate.ts";
import type { SessionProvider } from "../../session/mod.ts";

/** Adds `repo` and what is below it. */
export function addRepo(root: CommandUnknownOpts, session: SessionProvider): void {
  const repo = root.command("repo").description("Look after the place of a repository");
  actAsMenu(repo);
  addRepoValidate(repo, session);
  addRepoUnlock(repo, session);
}
