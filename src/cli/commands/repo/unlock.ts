import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { formatLocalTime, openExisting } from "../../../infrahub/mod.ts";
import type { FoundLock } from "../../../kloset/mod.ts";
import { printResult } from "../../report/mod.ts";
import { repositoryAccess, type SessionProvider } from "../../session/mod.ts";

/** Adds `repo unlock`. */
export function addRepoUnlock(repo: CommandUnknownOpts, session: SessionProvider): void {
  repo.command("unlock")
    .description(
      "Remove the locks that ended programs have left in a repository: those that were not renewed " +
        "for ten minutes",
    )
    .addOption(
      new Option(
        "--force",
        "remove all others as well; a run that holds one ends without a backup, and a maintenance " +
          "that does may take away what a backup needs: make sure that none is running",
      ),
    )
    .action(async ({ force = false }) => {
      const current = session();
      await printResult(current, async () => {
        const access = repositoryAccess(current, "--repo is required for repo unlock");
        await using repository = await openExisting(access);
        const locks = await repository.locks();
        const removed = locks.filter(({ isStale }) => isStale || force);
        const kept = locks.filter((lock) => !removed.includes(lock));
        for (const lock of removed) {
          current.context.signal.throwIfAborted();
          await repository.removeLock(lock);
        }
        const lines = [
          ...removed.map((lock) => `Removed: ${describe(lock)}`),
          ...kept.map((lock) => `Left, as it is held: ${describe(lock)}`),
        ];
        return {
          text: lines.length === 0 ? "There are no locks" : lines.join("\n"),
          json: { removed: removed.map(lockJson), held: kept.map(lockJson) },
        };
      });
    });
}

function describe({ id, hostname, renewedAt, exclusive }: FoundLock): string {
  const kind = exclusive === undefined ? "lock" : exclusive ? "exclusive lock" : "shared lock";
  const age = renewedAt === undefined
    ? "which cannot be read"
    : `of ${hostname || "an unnamed host"}, renewed ${formatLocalTime(renewedAt)}`;
  return `${kind} ${id.slice(0, 8)} ${age}`;
}

function lockJson({ id, hostname, renewedAt, exclusive }: FoundLock): Record<string, unknown> {
  return {
    id,
    ...(renewedAt === undefined ? {} : {
      host: hostname,
      renewed: formatLocalTime(renewedAt),
      exclusive,
    }),
  };
}
