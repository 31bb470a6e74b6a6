import { CommandFailedError } from "../../environment/mod.ts";
import {
  DATABASE,
  DATABASE_WAIT,
  type DatabaseCredentials,
  type Deployment,
  DeploymentError,
  poll,
  type WaitOptions,
} from "../deployment/mod.ts";
import { parseRows, quoteCypherName, runCypher } from "./cypher.ts";

/** So many looks in a row must find a service stopped before it is started by hand. */
const STOPPED_LOOKS = 3;

/** Neo4j runs and has given up on a database: to wait for it would be in vain. */
export class DatabaseNotOpenedError extends DeploymentError {}

/**
 * Waits until Neo4j answers a query. Where its service has ended and nothing brings it back, it is
 * started.
 *
 * @throws {DatabaseNotOpenedError} as soon as Neo4j says that it cannot open the database, as after a
 * load that has failed
 * @throws {DeploymentError} when it does not answer in time
 */
export async function waitForNeo4j(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  { timeoutMs = DATABASE_WAIT.timeoutMs }: WaitOptions = {},
): Promise<void> {
  let stoppedLooks = 0;
  await poll(deployment, {
    failure: "Neo4j did not become ready",
    timeoutMs,
    intervalMs: DATABASE_WAIT.intervalMs,
    isFinal: (error) => error instanceof DatabaseNotOpenedError,
    probe: async (probe) => {
      const status = await probe.environment.status(DATABASE, probe.signal);
      // One that is absent may be there all the same: a host's server without a unit.
      if (status === "stopped") {
        stoppedLooks++;
        // A restart policy needs its moment, and has the first go.
        if (stoppedLooks % STOPPED_LOOKS === 0) {
          await probe.environment.start([DATABASE], probe.signal);
        }
        return { done: false, reason: `service ${DATABASE} is ${status}` };
      }
      stoppedLooks = 0;
      try {
        // The database itself: it opens after the server, and "system" takes no such query.
        await runCypher(probe, credentials, {
          database: credentials.database,
          query: "RETURN 1",
          timeoutMs: DATABASE_WAIT.probeTimeoutMs,
        });
      } catch (error) {
        probe.signal.throwIfAborted();
        await throwIfGivenUp(probe, credentials, error);
        throw error;
      }
      return { done: true, value: undefined };
    },
  });
}

/** Asks a server that refuses a database whether it will ever open it. */
async function throwIfGivenUp(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  failure: unknown,
): Promise<void> {
  // Of a server that does not answer at all, nothing more can be learnt. `cypher-shell` has one exit
  // code for all failures; to misread its text costs a query, or the full wait, and decides nothing.
  const isRefusal = failure instanceof CommandFailedError &&
    /unavailable|not available|shutdown/i.test(failure.stderrTail);
  if (!isRefusal) return;
  const { database } = credentials;
  let rows: string[][];
  try {
    rows = parseRows(
      await runCypher(deployment, credentials, {
        query: `SHOW DATABASE ${quoteCypherName(database)} ` +
          "YIELD currentStatus, requestedStatus, statusMessage",
        timeoutMs: DATABASE_WAIT.probeTimeoutMs,
      }),
    );
  } catch {
    deployment.signal.throwIfAborted();
    return; // Not yet: it is asked again with the next look.
  }
  // One row per server of a cluster. The message has commas of its own, and is empty until it fails.
  const reasons = rows.map(([current, requested, ...message]) =>
    current === "offline" && requested === "online" ? message.join(", ").replace(/^"|"$/g, "") : ""
  );
  const [reason] = reasons;
  if (!reason || reasons.includes("")) return;
  throw new DatabaseNotOpenedError(`Neo4j runs, but cannot open database ${database}: ${reason}`);
}
