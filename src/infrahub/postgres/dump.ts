import { recordPath } from "../component.ts";
import {
  attempt,
  type Deployment,
  DeploymentRefusedError,
  TASK_MANAGER_DATABASE,
  type WaitOptions,
} from "../deployment/mod.ts";
import type { ComponentSource } from "../dump/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { clientOptions, databaseArgument, describedClient } from "./client.ts";
import { requireNamedServer } from "./identity.ts";
import { waitForPostgres } from "./readiness.ts";
import { formatServer, type PostgresServer } from "./server.ts";
import { runSql } from "./sql.ts";
import { readVersions, VERSION_QUERIES } from "./versions.ts";

/** How PostgreSQL is dumped. */
export interface PostgresDumpOptions {
  /** Longest wait for the next byte, in milliseconds; 0 for no limit. */
  readonly stallTimeoutMs: number;
}

const CHECK_TIMEOUT_MS = 60_000;

/**
 * Makes sure that the database can be dumped, before anything is stopped for it: the server is the one
 * that is named, lets us in, and is not newer than our `pg_dump`.
 *
 * @returns version of the server, such as `15.13`; undefined, after a warning with what it said, when
 * it does not tell
 * @throws {DeploymentRefusedError} when it cannot
 */
export async function checkPostgresSource(
  deployment: Deployment,
  server: PostgresServer,
): Promise<string | undefined> {
  const { reporter, signal } = deployment;
  reporter.info(`PostgreSQL: ${formatServer(server)}`);
  const { database, username } = server;
  let output: string;
  try {
    output = await runSql(
      deployment,
      describedClient(deployment, server),
      database,
      [...VERSION_QUERIES, "SELECT 1"],
      CHECK_TIMEOUT_MS,
    );
  } catch (error) {
    signal.throwIfAborted();
    throw new DeploymentRefusedError(
      `cannot get into PostgreSQL's database ${database}` +
        `${username === undefined ? "" : ` as ${username}`}: ${messageOf(error)}`,
      { cause: error },
    );
  }
  await requireNamedServer(deployment, server);
  const { programs, server: running, serverVersion } = readVersions(output);
  if (programs !== undefined && running !== undefined && programs < running) {
    throw new DeploymentRefusedError(
      `pg_dump is of PostgreSQL ${programs}, and cannot dump a server of PostgreSQL ${running}`,
    );
  }
  if (serverVersion === undefined) {
    reporter.warn(
      "Could not find out PostgreSQL's version: unexpected answer " +
        JSON.stringify(output.trim()),
    );
  }
  return serverVersion;
}

/**
 * The dump of the task manager's database, uncompressed: the repository finds equal chunks in it,
 * and an archive is compressed as a whole.
 */
export function postgresSource(
  deployment: Deployment,
  server: PostgresServer,
  { stallTimeoutMs }: PostgresDumpOptions,
): ComponentSource {
  return {
    component: "postgres",
    recordPath: recordPath("postgres", "enterprise"),
    open: async (signal) => {
      deployment.reporter.info("Backing up PostgreSQL database...");
      const client = describedClient(deployment, server);
      const stream = await attempt(
        { signal },
        "failed to start postgres stream",
        () =>
          deployment.environment.streamOut(TASK_MANAGER_DATABASE, [
            "pg_dump",
            "-Fc",
            "-Z0",
            ...client.arguments,
            "-d",
            databaseArgument(server.database, client.parameters),
          ], {
            ...clientOptions(client),
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
  server: PostgresServer,
  options: WaitOptions = {},
): Promise<void> {
  const { environment, reporter, signal } = deployment;
  if (await isRunning(deployment)) return await waitForPostgres(deployment, server, options);
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
  await waitForPostgres(deployment, server, options);
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
