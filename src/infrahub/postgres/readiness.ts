import {
  DATABASE_WAIT,
  type Deployment,
  DeploymentRefusedError,
  poll,
  TASK_MANAGER_DATABASE,
  type WaitOptions,
} from "../deployment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { clientOptions, describedClient, socketClient } from "./client.ts";
import { formatServer, type PostgresServer } from "./server.ts";
import { maintenanceDatabase, runSql } from "./sql.ts";

/** What a server that accepts connections may still answer for a while. */
const PASSING =
  /starting up|shutting down|recovery|not yet accepting|too many|connection (refused|reset)|timeout|did not end|closed the connection/i;

/** The server answers, and will not let us in however long we wait. */
class NotLetInError extends DeploymentRefusedError {}

/**
 * Waits until PostgreSQL accepts connections and answers a query.
 *
 * @throws {DeploymentRefusedError} as soon as the server on a host refuses us: it will not think
 * better of a password or a certificate
 * @throws {DeploymentError} when it does not answer in time
 */
export async function waitForPostgres(
  deployment: Deployment,
  server: PostgresServer,
  { timeoutMs = DATABASE_WAIT.timeoutMs }: WaitOptions = {},
): Promise<void> {
  const isHost = deployment.environment.kind === "host";
  const described = describedClient(deployment, server);
  const clients = isHost ? [described] : [described, socketClient(deployment, server)];
  await poll(deployment, {
    failure: "PostgreSQL did not become ready",
    timeoutMs,
    intervalMs: DATABASE_WAIT.intervalMs,
    isFinal: (error) => error instanceof NotLetInError,
    probe: async (probe) => {
      await probe.environment.run(
        TASK_MANAGER_DATABASE,
        ["pg_isready", "-q", ...described.arguments],
        {
          ...clientOptions(described),
          signal: probe.signal,
          timeoutMs: DATABASE_WAIT.probeTimeoutMs,
        },
      );
      let failure: unknown;
      for (const client of clients) {
        try {
          await runSql(
            probe,
            client,
            maintenanceDatabase(server.database),
            "SELECT 1",
            DATABASE_WAIT.probeTimeoutMs,
          );
          return { done: true, value: undefined };
        } catch (error) {
          probe.signal.throwIfAborted();
          failure ??= error;
        }
      }
      const reason = messageOf(failure);
      if (isHost && !PASSING.test(reason)) {
        throw new NotLetInError(`${formatServer(server)} does not let us in: ${reason}`, {
          cause: failure,
        });
      }
      return { done: false, reason };
    },
  });
}
