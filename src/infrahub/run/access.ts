import { messageOf } from "../../errors/mod.ts";
import type { DataFacts } from "../data_facts.ts";
import {
  DATABASE,
  type Deployment,
  DeploymentRefusedError,
  TASK_MANAGER_DATABASE,
} from "../deployment/mod.ts";
import { runCypher } from "../neo4j/mod.ts";
import { checkPostgresSource } from "../postgres/mod.ts";
import type { Credentials } from "./credentials.ts";

/** Which databases a run is going to use. */
export interface AccessQuestion {
  readonly neo4j: boolean;
  readonly postgres: boolean;
}

/** Milliseconds; a busy machine is slow. */
const TIMEOUT_MS = 60_000;

/**
 * Gets into every database that a backup uses, by the way that it will be dumped, so that a password
 * or a name that is wrong is told before a service is stopped, and not in the middle of the outage.
 *
 * @returns version of PostgreSQL, where it is used and tells it
 * @throws {DeploymentRefusedError} with what the database said
 */
export async function requireAccess(
  deployment: Deployment,
  { neo4j, postgres }: Credentials,
  wanted: AccessQuestion,
): Promise<Pick<DataFacts, "postgres">> {
  const { environment, signal } = deployment;
  // A Community server that somebody has stopped can be dumped all the same, and cannot be asked.
  if (wanted.neo4j && await environment.status(DATABASE, signal) !== "stopped") {
    await tryIn(
      deployment,
      `Neo4j's database ${neo4j.database} as ${neo4j.username}`,
      () =>
        runCypher(deployment, neo4j, {
          database: neo4j.database,
          query: "RETURN 1",
          timeoutMs: TIMEOUT_MS,
        }),
    );
  }
  if (!wanted.postgres) return {};
  if (await environment.status(TASK_MANAGER_DATABASE, signal) === "stopped") {
    throw new DeploymentRefusedError(
      `service ${TASK_MANAGER_DATABASE} is stopped; start it first`,
    );
  }
  const version = await checkPostgresSource(deployment, postgres());
  return version === undefined ? {} : { postgres: version };
}

async function tryIn(
  { signal }: Deployment,
  what: string,
  ask: () => Promise<unknown>,
): Promise<void> {
  try {
    await ask();
  } catch (error) {
    signal.throwIfAborted();
    throw new DeploymentRefusedError(`cannot get into ${what}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
