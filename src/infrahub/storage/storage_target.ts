import { messageOf } from "../../errors/mod.ts";
import {
  attempt,
  type ComponentTarget,
  type Deployment,
  SERVER,
  type UndoJournal,
} from "../deployment/mod.ts";
import { EXCHANGE, OWN_PREFIX, PUT_BACK } from "./_exchange_scripts.ts";

/** How objects are restored. */
export interface StorageTargetOptions {
  /** Longest wait in milliseconds for bytes to be taken; 0 for no limit. */
  readonly stallTimeoutMs: number;
  /** Told when objects in use begin to be replaced. */
  readonly onReplace: () => void;
}

/** Name on the journal of what puts the objects back. */
export const PUT_BACK_NAME = "put back the stored objects of Infrahub as they were";

/**
 * Opens the storage for the objects of a backup: what is written is a tar, which is unpacked in a new
 * directory inside the storage. When it is complete, its objects and those in use are exchanged, and
 * the former ones are removed.
 *
 * The server has to run, as nothing can be done in a container that does not; its workers, which write
 * objects, must not.
 *
 * @param path directory of the objects; made when it is missing
 * @throws {DeploymentError} when the new directory cannot be made
 */
export async function openStorageTarget(
  deployment: Deployment,
  path: string,
  journal: UndoJournal,
  { stallTimeoutMs, onReplace }: StorageTargetOptions,
): Promise<ComponentTarget> {
  const { environment, reporter, signal } = deployment;
  const name = `${OWN_PREFIX}${crypto.randomUUID().slice(0, 8)}`;
  const what = "failed to unpack the stored objects";
  reporter.info(`Restoring the stored objects of Infrahub (${path})...`);
  const remove = (suffix: "new" | "former", withSignal: AbortSignal) =>
    environment.run(SERVER, ["rm", "-rf", `${path}/${name}.${suffix}`], {
      signal: withSignal,
      timeoutMs: 0,
    });
  const staged = await journal.push({
    leaves: { kind: "storage", path, name },
    name: `remove ${path}/${name}.new from ${SERVER}`,
    harmless: true,
    run: async (undoSignal) => {
      await remove("new", undoSignal);
    },
  });
  const discard = async () => {
    try {
      await staged.perform();
    } catch (error) {
      reporter.warn(`Failed to remove ${path}/${name}.new: ${messageOf(error)}`);
    }
  };
  await attempt(
    deployment,
    what,
    () => environment.run(SERVER, ["mkdir", "-p", `${path}/${name}.new`], { signal }),
  );
  const input = await attempt(
    deployment,
    what,
    () =>
      environment.streamIn(SERVER, ["tar", "-xf", "-", "-C", `${path}/${name}.new`], {
        stallTimeoutMs,
        signal,
      }),
  );
  return {
    write: (bytes) => attempt(deployment, what, () => input.write(bytes)),
    close: async () => {
      await attempt(deployment, what, () => input.close());
      const undo = await journal.push({
        name: PUT_BACK_NAME,
        run: async (undoSignal) => {
          await environment.run(SERVER, ["sh", "-c", PUT_BACK, "sh", path, name], {
            signal: undoSignal,
            timeoutMs: 0,
          });
        },
      });
      onReplace();
      await attempt(
        deployment,
        "failed to exchange the stored objects",
        () =>
          environment.run(SERVER, ["sh", "-c", EXCHANGE, "sh", path, name], {
            signal,
            timeoutMs: 0,
          }),
      );
      await undo.forget();
      await staged.forget();
      try {
        await remove("former", signal);
      } catch (error) {
        signal.throwIfAborted();
        reporter.warn(
          `The objects as they were before are left in ${path}/${name}.former: ${messageOf(error)}`,
        );
      }
      reporter.info("Stored objects restored");
    },
    // They are exchanged once the databases are settled.
    settle: () => Promise.resolve(),
    old: undefined,
    finish: () => Promise.resolve(),
    abort: async (reason) => {
      await input.abort(reason);
      await discard();
    },
  };
}

/** Puts back the objects that a killed restore has begun to exchange, and removes its own. */
export async function putBackStorage(
  deployment: Deployment,
  { path, name }: { readonly path: string; readonly name: string },
): Promise<void> {
  const { environment, signal } = deployment;
  await attempt(deployment, "failed to put back the stored objects", async () => {
    const limit = { signal, timeoutMs: 0 };
    await environment.run(SERVER, ["sh", "-c", PUT_BACK, "sh", path, name], limit);
    await environment.run(SERVER, ["rm", "-rf", `${path}/${name}.new`], limit);
  });
}
