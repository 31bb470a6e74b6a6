import { type DatabaseCredentials, type Deployment, poll } from "../deployment/mod.ts";
import { parseRows, runCypher } from "./cypher.ts";
import { messageOf } from "../../errors/mod.ts";
import { formatUtcTime } from "../timestamp.ts";

const QUERY = "MATCH (n:Root) SET n.uuid = $new_uuid, n.updated_at = $updated_at RETURN n";
const READ_QUERY = "MATCH (n:Root) RETURN n.uuid AS deployment_id LIMIT 2";
const READ_TIMEOUT_MS = 20_000;
const TIMEOUT_MS = 300_000;
const INTERVAL_MS = 3_000;

/**
 * The id that Infrahub keeps in its graph. Asked for once and not for long: it tells backups apart,
 * and is never the reason why one fails.
 *
 * @returns undefined where Neo4j does not answer, or has no such id
 */
export async function readDeploymentId(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<string | undefined> {
  const { reporter, signal } = deployment;
  try {
    const output = await runCypher(deployment, credentials, {
      database: credentials.database,
      query: READ_QUERY,
      timeoutMs: READ_TIMEOUT_MS,
    });
    const [[id = ""] = [], ...others] = parseRows(output);
    // Nothing else has this heading.
    const isAnswer = /^\s*"?deployment_id"?\s*$/m.test(output.split("\n")[0] ?? "");
    if (isAnswer && others.length === 0 && /^[\w.:-]{8,64}$/.test(id)) return id;
    reporter.debug("Infrahub's deployment id is not in the graph");
  } catch (error) {
    signal.throwIfAborted();
    reporter.debug(`Could not read Infrahub's deployment id: ${messageOf(error)}`);
  }
  return undefined;
}

/** What {@linkcode resetDeploymentId} may be told; all of it has defaults. */
export interface ResetDeploymentIdOptions {
  /** @default {crypto.randomUUID()} */
  readonly newId?: string;
  /** Recorded as the time of the change. */
  readonly now: Date;
  /**
   * How long it is tried, in milliseconds.
   *
   * @default {300000}
   */
  readonly timeoutMs?: number;
}

/**
 * Gives the deployment an id of its own, where it is a copy of another. Neo4j may still be
 * starting: it is tried until the time is over.
 *
 * @returns the new id
 * @throws {DeploymentError} when the time is over, or there is no `:Root` node to change
 */
export async function resetDeploymentId(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  { newId = crypto.randomUUID(), now, timeoutMs = TIMEOUT_MS }: ResetDeploymentIdOptions,
): Promise<string> {
  deployment.reporter.info("Resetting deployment ID on Root node...");
  await poll(deployment, {
    failure: "failed to reset deployment ID",
    timeoutMs,
    intervalMs: INTERVAL_MS,
    probe: async (probe) => {
      const output = await runCypher(probe, credentials, {
        database: credentials.database,
        query: QUERY,
        parameters: { new_uuid: newId, updated_at: formatUtcTime(now) },
      });
      return output.includes(newId)
        ? { done: true, value: undefined }
        : { done: false, reason: "the database has no :Root node" };
    },
  });
  deployment.reporter.info("Deployment ID reset successfully", { new_uuid: newId });
  return newId;
}
