import { messageOf } from "../../errors/mod.ts";
import {
  DATABASE_WAIT,
  type DatabaseCredentials,
  type Deployment,
  poll,
  TASK_MANAGER_DATABASE,
  type WaitOptions,
} from "../deployment/mod.ts";
import { postgresClient, runSql, serverArguments } from "./sql.ts";

/**
 * Waits until PostgreSQL accepts connections and answers a query.
 *
 * @throws {DeploymentError} when it does not answer in time
 */
export async function waitForPostgres(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  { timeoutMs = DATABASE_WAIT.timeoutMs }: WaitOptions = {},
): Promise<void> {
  const clients = [
    postgresClient(deployment, credentials, "tcp"),
    postgresClient(deployment, credentials, "socket"),
  ];
  await poll(deployment, {
    failure: "PostgreSQL did not become ready",
    timeoutMs,
    intervalMs: DATABASE_WAIT.intervalMs,
    probe: async (probe) => {
      await probe.environment.run(
        TASK_MANAGER_DATABASE,
        ["pg_isready", "-q", ...serverArguments(credentials)],
        { signal: probe.signal, timeoutMs: DATABASE_WAIT.probeTimeoutMs },
      );
      let failure: unknown;
      for (const client of clients) {
        try {
          await runSql(probe, client, "postgres", "SELECT 1", DATABASE_WAIT.probeTimeoutMs);
          return { done: true, value: undefined };
        } catch (error) {
          probe.signal.throwIfAborted();
          failure ??= error;
        }
      }
      return { done: false, reason: messageOf(failure) };
    },
  });
}
