import { messageOf } from "../../errors/mod.ts";
import { recordPath } from "../component.ts";
import {
  attempt,
  type DatabaseCredentials,
  type Deployment,
  TASK_MANAGER_DATABASE,
  type WaitOptions,
} from "../deployment/mod.ts";
import type { ComponentSource } from "../dump/mod.ts";
import { databaseArgument, postgresSecrets, serverArguments } from "./sql.ts";
import { waitForPostgres } from "./readiness.ts";

/** How PostgreSQL is dumped. */
export interface PostgresDumpOptions {
  /** Longest wait for the next byte, in milliseconds; 0 for no limit. */
  readonly stallTimeoutMs: number;
}

/**
 * The dump of the task manager's database, uncompressed: the repository finds equal chunks in it,
 * and an archive is compressed as a whole.
 */
export function postgresSource(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  { stallTimeoutMs }: PostgresDumpOptions,
): ComponentSource {
  return {
    component: "postgres",
    recordPath: recordPath("postgres", "enterprise"),
    open: async (signal) => {
      deployment.reporter.info("Backing up PostgreSQL database...");
      const stream = await attempt(
        { signal },
        "failed to start postgres stream",
        () =>
          deployment.environment.streamOut(TASK_MANAGER_DATABASE, [
            "pg_dump",
            "-Fc",
            "-Z0",
            ...serverArguments(credentials),
            "-U",
            credentials.username,
            "-d",
            databaseArgument(credentials.database),
          ], {
            secrets: postgresSecrets(credentials),
            stallTimeoutMs,
            signal,
          }),
      );
      const finished = stream.finished.then(() =>
        deployment.reporter.info("PostgreSQL backup completed")
      );
      // The reader of the stream meets the same error, and may never look at this promise.
      finished.catch(() => {});
      return { content: stream.stdout, finished };
    },
  };
}

/**
 * Starts PostgreSQL, which may be down where there is something to restore, and waits until it
 * answers. On Kubernetes it may be run by an operator, so that it cannot be started from here.
 *
 * @throws {DeploymentError} when it cannot be started, or does not answer in time
 */
export async function startPostgres(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  options: WaitOptions = {},
): Promise<void> {
  const { environment, reporter, signal } = deployment;
  if (await isRunning(deployment)) return await waitForPostgres(deployment, credentials, options);
  try {
    await attempt(
      deployment,
      `failed to start ${TASK_MANAGER_DATABASE}`,
      () => environment.start([TASK_MANAGER_DATABASE], signal),
    );
  } catch (error) {
    if (environment.kind !== "kubernetes") throw error;
    signal.throwIfAborted();
    reporter.info(
      `Skipping ${TASK_MANAGER_DATABASE} start on Kubernetes (may be externally managed): ` +
        messageOf(error),
    );
  }
  await waitForPostgres(deployment, credentials, options);
}

async function isRunning({ environment, reporter, signal }: Deployment): Promise<boolean> {
  try {
    return await environment.status(TASK_MANAGER_DATABASE, signal) === "running";
  } catch (error) {
    signal.throwIfAborted();
    reporter.debug(`Could not look at ${TASK_MANAGER_DATABASE}: ${messageOf(error)}`);
    return false;
  }
}
