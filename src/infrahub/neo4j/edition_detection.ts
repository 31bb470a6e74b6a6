import { messageOf } from "../../errors/mod.ts";
import type { Neo4jEdition } from "../component.ts";
import {
  DATABASE,
  type DatabaseCredentials,
  type Deployment,
  DeploymentError,
  DeploymentRefusedError,
} from "../deployment/mod.ts";
import { parseRows, runCypher } from "./cypher.ts";
import { waitForNeo4j } from "./readiness.ts";

/**
 * The component is chosen by its name: Neo4j of 2025 and later lists its versions of Cypher as well,
 * as a component without an edition. Not in the query: the system database knows no WHERE.
 */
const QUERY = "CALL dbms.components() YIELD name, edition RETURN name, edition";
/** Name of the server among its components. */
export const SERVER_COMPONENT = "Neo4j Kernel";

/** What the edition is wanted for, and what the user said about it. */
export interface DetectEditionOptions {
  readonly purpose: "backup" | "restore";
  /** Binding when given: it stands even where the server says otherwise, with a warning. */
  readonly given?: Neo4jEdition;
  /**
   * Whether Neo4j is started where it is down: a restore needs it running, and a backup leaves what
   * somebody has stopped as it is.
   *
   * @default {false}
   */
  readonly mayStart?: boolean;
}

/**
 * Asks Neo4j which edition it is, and starts it before where that is allowed. A guess would be
 * dangerous: taking an Enterprise server for Community stops everything, the server included.
 *
 * @throws {DeploymentError} when it cannot be found out and was not given
 */
export async function detectEdition(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  { purpose, given, mayStart = false }: DetectEditionOptions,
): Promise<Neo4jEdition> {
  const { reporter, signal } = deployment;
  let detected: Neo4jEdition;
  try {
    await requireRunning(deployment, credentials, mayStart);
    detected = parseEdition(await runCypher(deployment, credentials, { query: QUERY }));
  } catch (error) {
    signal.throwIfAborted();
    if (given === undefined) {
      throw new DeploymentError(
        `could not detect neo4j edition: ${messageOf(error)}` +
          " (name it with --neo4j-edition if it is known)",
        { cause: error },
      );
    }
    reporter.warn(
      `Could not determine Neo4j edition during ${purpose}; taking it for ${given} as given: ` +
        messageOf(error),
    );
    return given;
  }
  if (given !== undefined && given !== detected) {
    reporter.warn(`Neo4j says that it is ${detected} edition; taking it for ${given} as given`);
    return given;
  }
  reporter.info(`Detected Neo4j ${detected} edition for ${purpose}`);
  return detected;
}

/**
 * Decides how a backup is restored.
 *
 * @param recorded edition that the backup was made of; undefined or empty when it does not say
 * @param target edition of the server that it is restored to
 * @throws {DeploymentRefusedError} for an Enterprise backup on a Community server
 */
export function resolveRestoreEdition(
  recorded: string | undefined,
  target: Neo4jEdition,
): Neo4jEdition {
  const edition = recorded?.toLowerCase();
  if (edition === "enterprise" && target === "community") {
    throw new DeploymentRefusedError(
      "cannot restore Enterprise backup on Community edition Neo4j",
    );
  }
  return edition === "community" ? "community" : target;
}

/** @throws {Error} when it is down, and may not or cannot be started */
async function requireRunning(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  mayStart: boolean,
): Promise<void> {
  const { environment, reporter, signal } = deployment;
  // One that is absent may be there all the same: a host's server without a unit.
  if (await environment.status(DATABASE, signal) !== "stopped") return;
  if (!mayStart) throw new DeploymentError(`service ${DATABASE} is stopped; start it first`);
  reporter.warn("Neo4j is down; starting it");
  await environment.start([DATABASE], signal);
  await waitForNeo4j(deployment, credentials);
}

function parseEdition(output: string): Neo4jEdition {
  const server = parseRows(output).find(([name]) => name === SERVER_COMPONENT);
  const edition = server?.[1]?.toLowerCase();
  if (edition === "enterprise" || edition === "community") return edition;
  if (output.trim() === "") throw new DeploymentError("no answer");
  throw new DeploymentError(`unexpected answer ${JSON.stringify(output.trim())}`);
}
