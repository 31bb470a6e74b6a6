import {
  attempt,
  type DatabaseCredentials,
  type Deployment,
  DeploymentError,
} from "../deployment/mod.ts";
import { runCypher } from "./cypher.ts";

const DATA = "server.directories.data";
const TRANSACTIONS = "server.directories.transaction.logs.root";

/** Where Neo4j keeps its files, as its own process sees it; absolute paths. */
export interface Neo4jDirectories {
  /** The directory with `databases` and `scripts`. */
  readonly data: string;
  /** The transaction logs, a directory per database. */
  readonly transactions: string;
}

/**
 * Asks the server, which must run: on the host these are not the paths of the official image.
 *
 * @throws {DeploymentError} when it does not say
 */
export async function findNeo4jDirectories(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<Neo4jDirectories> {
  const settings = await attempt(
    deployment,
    "failed to find out where neo4j keeps its databases",
    () =>
      runCypher(deployment, credentials, {
        query: `SHOW SETTINGS '${DATA}', '${TRANSACTIONS}' YIELD name, value RETURN name, value`,
      }),
  );
  return { data: settingOf(settings, DATA), transactions: settingOf(settings, TRANSACTIONS) };
}

/** The value in a row `"name", "value"`; a value may have commas. */
function settingOf(output: string, name: string): string {
  for (const line of output.split("\n")) {
    const [, key, value = ""] = /^"([^"]*)", "(.*)"\s*$/.exec(line.trim()) ?? [];
    if (key === name && value.startsWith("/")) return value.replace(/\/+$/, "");
  }
  throw new DeploymentError(
    `failed to find out where neo4j keeps its databases: it does not tell its setting ${name}`,
  );
}
