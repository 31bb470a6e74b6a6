import type { CommandInput } from "../../environment/mod.ts";
import {
  attempt,
  type ComponentTarget,
  type Deployment,
  TASK_MANAGER_DATABASE,
  type UndoHandle,
  type UndoJournal,
} from "../deployment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { clientOptions, databaseArgument } from "./client.ts";
import { DatabaseSwap } from "./database_swap.ts";
import type { RestorablePostgres } from "./restore_check.ts";

/** How a dump is restored. */
export interface PostgresRestoreOptions {
  /** Longest wait in milliseconds for bytes to be taken; 0 for no limit. */
  readonly stallTimeoutMs: number;
  /** Goes into the names of the databases. */
  readonly now: Date;
  /**
   * Throws where the old database must not come back, because what belongs to it has not.
   *
   * @default {never}
   */
  readonly requireUndoable?: () => void;
}

/**
 * Opens a restore: what is written goes into `pg_restore`, which fills a database of its own beside
 * the one in use. `close` swaps the two by renaming, in one transaction.
 *
 * Its first error ends it: into an empty database made from `template0` every statement of a dump
 * must succeed, and one that does not is lost data.
 *
 * @throws {DeploymentError} when the database cannot be created, or the program not be started
 */
export async function openPostgresTarget(
  deployment: Deployment,
  target: RestorablePostgres,
  journal: UndoJournal,
  { stallTimeoutMs, now, requireUndoable = () => {} }: PostgresRestoreOptions,
): Promise<ComponentTarget> {
  const { environment, reporter, signal } = deployment;
  const { client, server } = target;
  reporter.info("Restoring PostgreSQL database...");
  const swap = DatabaseSwap.begin(target, now);
  const undo = await journal.push({
    name: `put back PostgreSQL database ${server.database} as it was`,
    leaves: swap.facts,
    run: async (undoSignal) => {
      requireUndoable();
      await swap.undo({ ...deployment, signal: undoSignal });
    },
  });
  let removal: UndoHandle | undefined;
  const undoWithWarning = async () => {
    try {
      await undo.perform();
    } catch (error) {
      // Stays on the journal, where it is tried again.
      reporter.warn(`Could not put back PostgreSQL as it was: ${messageOf(error)}`);
    }
  };
  const what = "failed to restore postgresql";
  let input: CommandInput;
  try {
    await attempt(deployment, what, () => swap.create(deployment, target));
    input = await attempt(deployment, what, () =>
      environment.streamIn(TASK_MANAGER_DATABASE, [
        "pg_restore",
        "--exit-on-error",
        "-w",
        ...client.arguments,
        "-d",
        databaseArgument(swap.facts.fresh, client.parameters),
      ], {
        ...clientOptions(client),
        stallTimeoutMs,
        signal,
      }));
  } catch (error) {
    await undoWithWarning();
    throw error;
  }
  return {
    write: (bytes) => attempt(deployment, what, () => input.write(bytes)),
    close: async () => {
      try {
        await attempt(deployment, what, () => input.close());
        await attempt(deployment, what, () => swap.exchange(deployment, target));
      } catch (error) {
        await undoWithWarning();
        throw error;
      }
      reporter.info("PostgreSQL database restored");
    },
    abort: async (reason) => {
      await input.abort(reason);
      await undoWithWarning();
    },
    old: swap.facts.existed ? `PostgreSQL's as database ${swap.facts.old}` : undefined,
    settle: async (keepsOld) => {
      if (swap.facts.existed && !keepsOld) {
        // On the journal, so that it is done even when the run has been ended meanwhile.
        removal = await journal.push({
          name: `drop the PostgreSQL database that was replaced, ${swap.facts.old}`,
          harmless: true,
          leaves: swap.facts,
          run: (undoSignal) => swap.dropOld({ ...deployment, signal: undoSignal }),
        });
      }
      await undo.forget();
    },
    finish: async () => {
      try {
        await removal?.perform();
      } catch (error) {
        // Stays there, where it is tried again.
        reporter.warn(
          `The database that was replaced is still there as ${swap.facts.old}: ${messageOf(error)}`,
        );
      }
    },
  };
}
