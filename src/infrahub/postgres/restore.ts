import type { CommandInput } from "../../environment/mod.ts";
import {
  attempt,
  type ComponentTarget,
  type Deployment,
  TASK_MANAGER_DATABASE,
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
}

/** A restore of PostgreSQL; `close` swaps the databases. */
export interface PostgresTarget extends ComponentTarget {
  /**
   * Drops the old database. To be called when the whole restore has succeeded, and not before: until
   * then the journal can put it back. A failure only warns.
   */
  finish(): Promise<void>;
  /** Puts the old database back now, as the journal would. */
  undo(): Promise<void>;
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
  { stallTimeoutMs, now }: PostgresRestoreOptions,
): Promise<PostgresTarget> {
  const { environment, reporter, signal } = deployment;
  const { client, server } = target;
  reporter.info("Restoring PostgreSQL database...");
  const swap = new DatabaseSwap(target, now);
  const undo = journal.push({
    name: `put back PostgreSQL database ${server.database} as it was`,
    run: (undoSignal) => swap.undo({ ...deployment, signal: undoSignal }),
  });
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
    await attempt(deployment, what, () => swap.create(deployment));
    input = await attempt(deployment, what, () =>
      environment.streamIn(TASK_MANAGER_DATABASE, [
        "pg_restore",
        "--exit-on-error",
        "-w",
        ...client.arguments,
        "-d",
        databaseArgument(swap.fresh, client.parameters),
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
        await attempt(deployment, what, () => swap.exchange(deployment));
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
    finish: async () => {
      undo.forget();
      // On the journal, so that it is done even when the run has been ended meanwhile.
      const removal = journal.push({
        name: `drop the PostgreSQL database that was replaced, ${swap.old}`,
        harmless: true,
        run: (undoSignal) => swap.dropOld({ ...deployment, signal: undoSignal }),
      });
      try {
        await removal.perform();
      } catch (error) {
        // Stays there, where it is tried again.
        reporter.warn(
          `The database that was replaced is still there as ${swap.old}: ${messageOf(error)}`,
        );
      }
    },
    undo: () => undo.perform(),
  };
}
