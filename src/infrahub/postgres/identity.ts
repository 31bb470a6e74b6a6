import {
  type Deployment,
  DeploymentRefusedError,
  TASK_MANAGER_DATABASE,
} from "../deployment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import {
  describedClient,
  isBeside,
  outsideClient,
  type PostgresClient,
  socketClient,
} from "./client.ts";
import { formatEndpoint, type PostgresServer } from "./server.ts";
import { maintenanceDatabase, runSql } from "./sql.ts";

/** The id of the cluster alone would be a standby's as well. */
const IDENTITY =
  "SELECT system_identifier, extract(epoch FROM pg_postmaster_start_time()) FROM pg_control_system()";
const TIMEOUT_MS = 60_000;

/**
 * What tells a running server from all others; equal texts are one server.
 *
 * @throws {CommandFailedError} when it cannot be asked
 */
export async function readIdentity(
  deployment: Deployment,
  client: PostgresClient,
  database: string,
): Promise<string> {
  return await runSql(deployment, client, database, IDENTITY, TIMEOUT_MS);
}

/**
 * Makes sure that a description means the server that our programs reach. On a host they go where it
 * says; in containers they run beside a server, which has to be the one that is named.
 *
 * @throws {DeploymentRefusedError} when it is another one, or nobody can tell
 */
export async function requireNamedServer(
  deployment: Deployment,
  server: PostgresServer,
): Promise<void> {
  if (deployment.environment.kind === "host" || isBeside(deployment, server)) return;
  const { database, endpoints, origin } = server;
  let reason = "the two are different servers";
  try {
    const named = await readIdentity(deployment, outsideClient(server), database);
    if (named === await readIdentityBeside(deployment, server)) return;
  } catch (error) {
    deployment.signal.throwIfAborted();
    reason = `it could not be asked from there: ${messageOf(error)}`;
  }
  throw new DeploymentRefusedError(
    `${origin} names the server ${
      endpoints.map(formatEndpoint).join(" or ")
    }, which is not shown ` +
      `to be the one that runs in ${TASK_MANAGER_DATABASE}: ${reason}. A database outside of the ` +
      "deployment has to be left out with --exclude-taskmanager, and dumped on its own; if it is " +
      `the one inside, set PREFECT_API_DATABASE_CONNECTION_URL to a URL with the host ` +
      TASK_MANAGER_DATABASE,
  );
}

async function readIdentityBeside(
  deployment: Deployment,
  server: PostgresServer,
): Promise<string> {
  try {
    return await readIdentity(deployment, describedClient(deployment, server), server.database);
  } catch {
    deployment.signal.throwIfAborted();
    return await readIdentity(
      deployment,
      socketClient(deployment, server),
      maintenanceDatabase(server.database),
    );
  }
}
