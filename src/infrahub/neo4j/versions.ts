import { messageOf } from "../../errors/mod.ts";
import { type DataFacts, parseGraphVersion } from "../data_facts.ts";
import {
  DATABASE,
  type DatabaseCredentials,
  type Deployment,
  DeploymentError,
} from "../deployment/mod.ts";
import { parseRows, runCypher } from "./cypher.ts";
import { SERVER_COMPONENT } from "./edition_detection.ts";

const SERVER_QUERY = "CALL dbms.components() YIELD name, versions RETURN name, versions";
const GRAPH_QUERY = "MATCH (n:Root) RETURN n.graph_version AS graph_version LIMIT 2";
/** Milliseconds; a busy machine is slow. */
const TIMEOUT_MS = 60_000;

/**
 * Version of the Neo4j server, which must run.
 *
 * @returns such as `2026.05.0`; undefined, after a warning with what it said, when it does not tell
 */
export async function readNeo4jVersion(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<string | undefined> {
  return await ask(deployment, "Neo4j's version", async () => {
    const output = await runCypher(deployment, credentials, {
      query: SERVER_QUERY,
      timeoutMs: TIMEOUT_MS,
    });
    // The versions are a list with one element: `["5.26.12"]`.
    const server = parseRows(output).find(([name]) => name === SERVER_COMPONENT);
    const [, version] = /^\[?"?(\d+(?:\.\d+)+)/.exec(server?.[1] ?? "") ?? [];
    return version ?? unexpected(output);
  });
}

/**
 * Version of the graph that Infrahub has in Neo4j, which must run.
 *
 * @returns undefined, after a warning with what Neo4j said, when it is not told
 */
export async function readGraphVersion(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<number | undefined> {
  return await ask(deployment, "the version of Infrahub's graph", async () => {
    const output = await runCypher(deployment, credentials, {
      database: credentials.database,
      query: GRAPH_QUERY,
      timeoutMs: TIMEOUT_MS,
    });
    const isAnswer = output.split("\n")[0]?.trim().replaceAll('"', "") === "graph_version";
    const [row, ...others] = parseRows(output);
    const version = isAnswer && others.length === 0 ? parseGraphVersion(row?.[0] ?? "") : undefined;
    return version ?? unexpected(output);
  });
}

/**
 * What a backup records of Neo4j. Where the server has been stopped, or gives no answer that can be
 * understood, the backup records nothing of it, and a warning says so.
 */
export async function readNeo4jVersions(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<Pick<DataFacts, "graph" | "neo4j">> {
  const { environment, reporter, signal } = deployment;
  if (await environment.status(DATABASE, signal) === "stopped") {
    reporter.warn(
      `service ${DATABASE} is stopped: the versions of Neo4j and of Infrahub's graph are not recorded`,
    );
    return {};
  }
  const neo4j = await readNeo4jVersion(deployment, credentials);
  const graph = await readGraphVersion(deployment, credentials);
  return {
    ...(graph === undefined ? {} : { graph }),
    ...(neo4j === undefined ? {} : { neo4j }),
  };
}

async function ask<Value>(
  { reporter, signal }: Deployment,
  what: string,
  question: () => Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await question();
  } catch (error) {
    signal.throwIfAborted();
    reporter.warn(`Could not find out ${what}: ${messageOf(error)}`);
    return undefined;
  }
}

function unexpected(output: string): never {
  throw new DeploymentError(`unexpected answer ${JSON.stringify(output.trim())}`);
}
