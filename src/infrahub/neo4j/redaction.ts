import { messageOf } from "../../errors/mod.ts";
import {
  attempt,
  type DatabaseCredentials,
  type Deployment,
  DeploymentRefusedError,
} from "../deployment/mod.ts";
import { runCypher } from "./cypher.ts";
import { InvalidInputError } from "../errors.ts";

/** Equal values get the same replacement. */
const QUERY = "MATCH (av:AttributeValue) WITH av.value AS av_value, collect(av) AS av_verts " +
  "WITH av_value, av_verts, randomUUID() as new_value CALL (av_value, new_value, av_verts) " +
  "{ UNWIND av_verts AS av SET av.value = new_value } IN TRANSACTIONS";

/**
 * Redaction destroys live data, so it has to be asked for twice. Needs no deployment.
 *
 * @throws {InvalidInputError} when `force` is missing
 */
export function requireRedactionConfirmed(options: { redact: boolean; force: boolean }): void {
  if (options.redact && !options.force) {
    throw new InvalidInputError(
      "--redact is a destructive operation that replaces all attribute values in the database " +
        "with random UUIDs; use --force to confirm",
    );
  }
}

/**
 * Finds out whether {@linkcode redact} can work, by having the server plan its query without doing
 * it: the database answers, the credentials are right, and this version knows the syntax.
 *
 * @throws {DeploymentRefusedError} when it would fail
 */
export async function checkRedaction(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<void> {
  try {
    await runCypher(deployment, credentials, {
      database: credentials.database,
      query: `EXPLAIN ${QUERY}`,
    });
  } catch (error) {
    deployment.signal.throwIfAborted();
    throw new DeploymentRefusedError(`cannot redact database: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Replaces every attribute value in the live database by a random UUID. This cannot be undone.
 *
 * @throws {DeploymentError} when it fails; part of the values may have been replaced then
 */
export async function redact(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<void> {
  await attempt(deployment, "failed to redact database", () =>
    runCypher(deployment, credentials, {
      database: credentials.database,
      query: QUERY,
      timeoutMs: 0,
    }));
}
