import { formatDuration } from "../../environment/mod.ts";
import type { DatabaseCredentials } from "./credentials.ts";
import { parseRows, quoteCypherName, runCypher } from "../neo4j/mod.ts";
import { type Deployment, DeploymentError } from "./deployment.ts";
import { messageOf } from "../errors.ts";
import { DATABASE, TASK_MANAGER_DATABASE } from "./services.ts";
import { postgresClient, runSql, serverArguments } from "../postgres/mod.ts";

/** What a look at something gave. */
export type ProbeResult<Value> =
  | { readonly done: true; readonly value: Value }
  /** The reason stands in the error when no time is left. */
  | { readonly done: false; readonly reason: string };

/** How something is waited for. */
export interface PollOptions<Value> {
  /** First words of the error: what could not be had. */
  readonly failure: string;
  /** Longest wait in milliseconds. */
  readonly timeoutMs: number;
  /** Milliseconds between two looks. */
  readonly intervalMs: number;
  /** Looks once; an error counts as "not yet". */
  readonly probe: (deployment: Deployment) => Promise<ProbeResult<Value>>;
  /** Whether an error shows that waiting is in vain. */
  readonly isFinal?: (error: unknown) => boolean;
}

/** How long a wait for a database may last. */
export interface WaitOptions {
  /**
   * Milliseconds.
   *
   * @default {300000}
   */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 300_000;
const INTERVAL_MS = 1_000;
/** One look: a server that is just starting may leave a connection hanging, and a busy machine is slow. */
const PROBE_TIMEOUT_MS = 60_000;
/** So many looks in a row must find a service stopped before it is started by hand. */
const STOPPED_LOOKS = 3;

/**
 * Looks at something again and again until it is as it should be.
 *
 * @throws {DeploymentError} with the last reason when the time is over; the signal's reason when
 * aborted; an error that `isFinal`
 */
export async function poll<Value>(
  deployment: Deployment,
  { failure, timeoutMs, intervalMs, probe, isFinal }: PollOptions<Value>,
): Promise<Value> {
  const { clock, signal } = deployment;
  const deadline = clock.now() + timeoutMs;
  while (true) {
    signal.throwIfAborted();
    let reason: string;
    let cause: unknown;
    try {
      const result = await probe(deployment);
      if (result.done) return result.value;
      reason = result.reason;
    } catch (error) {
      signal.throwIfAborted();
      if (isFinal?.(error)) throw error;
      reason = messageOf(error);
      cause = error;
    }
    if (clock.now() + intervalMs > deadline) {
      throw new DeploymentError(
        `${failure} within ${formatDuration(timeoutMs)}: ${reason}`,
        cause === undefined ? {} : { cause },
      );
    }
    await clock.sleep(intervalMs, signal);
  }
}

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
  { timeoutMs = TIMEOUT_MS }: WaitOptions = {},
): Promise<void> {
  let stoppedLooks = 0;
  await poll(deployment, {
    failure: "Neo4j did not become ready",
    timeoutMs,
    intervalMs: INTERVAL_MS,
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
          timeoutMs: PROBE_TIMEOUT_MS,
        });
      } catch (error) {
        probe.signal.throwIfAborted();
        await throwIfGivenUp(probe, credentials, messageOf(error));
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
  problem: string,
): Promise<void> {
  // Of a server that does not answer at all, nothing more can be learnt.
  if (!/unavailable|not available|shutdown/i.test(problem)) return;
  const { database } = credentials;
  let rows: string[][];
  try {
    rows = parseRows(
      await runCypher(deployment, credentials, {
        query: `SHOW DATABASE ${quoteCypherName(database)} ` +
          "YIELD currentStatus, requestedStatus, statusMessage",
        timeoutMs: PROBE_TIMEOUT_MS,
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

/**
 * Waits until PostgreSQL accepts connections and answers a query.
 *
 * @throws {DeploymentError} when it does not answer in time
 */
export async function waitForPostgres(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  { timeoutMs = TIMEOUT_MS }: WaitOptions = {},
): Promise<void> {
  const clients = [
    postgresClient(deployment, credentials, "tcp"),
    postgresClient(deployment, credentials, "socket"),
  ];
  await poll(deployment, {
    failure: "PostgreSQL did not become ready",
    timeoutMs,
    intervalMs: INTERVAL_MS,
    probe: async (probe) => {
      await probe.environment.run(
        TASK_MANAGER_DATABASE,
        ["pg_isready", "-q", ...serverArguments(credentials)],
        { signal: probe.signal, timeoutMs: PROBE_TIMEOUT_MS },
      );
      let failure: unknown;
      for (const client of clients) {
        try {
          await runSql(probe, client, "postgres", "SELECT 1", PROBE_TIMEOUT_MS);
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
