import type { ServiceName } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { type ConnectionParts, parseConnectionUrl } from "./connection_url.ts";
import type { Deployment } from "./deployment.ts";
import { Secret } from "../secret.ts";
import { SERVER, TASK_MANAGER } from "./services.ts";

/** How to get into a database. */
export interface DatabaseCredentials {
  readonly database: string;
  readonly username: string;
  readonly password: Secret;
  /** Where its server is, on a host. In a container it is the one beside which programs run. */
  readonly host?: string;
  /** See {@linkcode DatabaseCredentials.host}. */
  readonly port?: string;
}

/** How to get into the databases of a deployment. */
export interface Credentials {
  readonly neo4j: DatabaseCredentials;
  readonly postgres: DatabaseCredentials;
}

/** A variable of an environment; undefined or empty when it is not set. */
export type ReadVariable = (name: string) => string | undefined;

const NEO4J_VARIABLES = {
  database: "INFRAHUB_DB_DATABASE",
  username: "INFRAHUB_DB_USERNAME",
  password: "INFRAHUB_DB_PASSWORD",
} as const;
/** The first that is set counts. */
const POSTGRES_VARIABLES = [
  "PREFECT_SERVER_DATABASE_CONNECTION_URL",
  "PREFECT_API_DATABASE_CONNECTION_URL",
] as const;
const LIBPQ_VARIABLES = {
  database: "PGDATABASE",
  username: "PGUSER",
  password: "PGPASSWORD",
} as const;
const NEO4J_DEFAULTS = { database: "neo4j", username: "neo4j", password: "admin" };
const POSTGRES_DEFAULTS = { database: "prefect", username: "postgres", password: "prefect" };

/**
 * Finds the credentials: in the tool's own environment, else in that of the service that uses them,
 * else what is usual. A service that cannot be asked only warns: a deployment that is down is one
 * that may have to be restored.
 *
 * @param readVariable the tool's own environment
 */
export async function findCredentials(
  deployment: Deployment,
  readVariable: ReadVariable,
): Promise<Credentials> {
  return {
    neo4j: await findNeo4j(deployment, readVariable),
    postgres: await findPostgres(deployment, readVariable),
  };
}

async function findNeo4j(
  deployment: Deployment,
  readVariable: ReadVariable,
): Promise<DatabaseCredentials> {
  let found = readNeo4j(readVariable);
  if (!isComplete(found)) {
    const inService = await readServiceVariables(deployment, SERVER, "Neo4j");
    found = { ...(inService ? readNeo4j(inService) : {}), ...found };
  }
  return complete(found, NEO4J_DEFAULTS);
}

function readNeo4j(readVariable: ReadVariable): ConnectionParts {
  return readParts(readVariable, NEO4J_VARIABLES);
}

async function findPostgres(
  deployment: Deployment,
  readVariable: ReadVariable,
): Promise<DatabaseCredentials> {
  let found = readPostgres(deployment, readVariable, readVariable);
  if (!isComplete(found)) {
    const inService = await readServiceVariables(deployment, TASK_MANAGER, "PostgreSQL");
    // As a whole: the parts of one URL belong together.
    if (inService) found = { ...found, ...readPostgres(deployment, inService, readVariable) };
  }
  const credentials = complete(found, POSTGRES_DEFAULTS);
  const { host, port } = found;
  return deployment.environment.kind === "host"
    ? { ...credentials, ...(host ? { host } : {}), ...(port ? { port } : {}) }
    : credentials;
}

/** What a URL leaves out comes from the tool's `PG*` variables, as in libpq. */
function readPostgres(
  { reporter }: Deployment,
  readVariable: ReadVariable,
  readLibpqVariable: ReadVariable,
): ConnectionParts {
  const name = POSTGRES_VARIABLES.find((variable) => readVariable(variable));
  const url = name && readVariable(name);
  if (!url) return {};
  try {
    return { ...readParts(readLibpqVariable, LIBPQ_VARIABLES), ...parseConnectionUrl(url) };
  } catch (error) {
    reporter.warn(`Could not parse ${name}: ${messageOf(error)}`);
    return {};
  }
}

function readParts(
  readVariable: ReadVariable,
  names: Readonly<Record<"database" | "username" | "password", string>>,
): ConnectionParts {
  const database = readVariable(names.database);
  const username = readVariable(names.username);
  const password = readVariable(names.password);
  return {
    ...(database ? { database } : {}),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}

async function readServiceVariables(
  { environment, reporter, signal }: Deployment,
  service: ServiceName,
  what: string,
): Promise<ReadVariable | undefined> {
  try {
    const output = await environment.run(service, ["env"], { signal });
    const variables = new Map<string, string>();
    for (const line of output.split("\n")) {
      const at = line.indexOf("=");
      if (at > 0) variables.set(line.slice(0, at), line.slice(at + 1).replace(/\r$/, ""));
    }
    return (name) => variables.get(name);
  } catch (error) {
    signal.throwIfAborted();
    reporter.warn(`Could not fetch ${what} credentials from container: ${messageOf(error)}`);
    return undefined;
  }
}

function isComplete({ database, username, password }: ConnectionParts): boolean {
  return Boolean(database && username && password);
}

function complete(
  found: ConnectionParts,
  defaults: Readonly<Record<"database" | "username" | "password", string>>,
): DatabaseCredentials {
  return {
    database: found.database ?? defaults.database,
    username: found.username ?? defaults.username,
    password: new Secret(found.password ?? defaults.password),
  };
}
