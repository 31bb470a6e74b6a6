import type { RunOptions } from "../../environment/mod.ts";
import {
  type DatabaseCredentials,
  type Deployment,
  TASK_MANAGER_DATABASE,
} from "../deployment/mod.ts";
import type { Secret } from "../secret.ts";

/** How the programs of PostgreSQL reach the server they run beside. */
export interface PostgresClient {
  /** Over TCP with a password, or over the local socket as an operating system user. */
  readonly mode: "tcp" | "socket";
  /** Operating system user that the programs run as; the container's own when not given. */
  readonly user?: string;
  /** Arguments that every program takes: host, user, never ask for a password. */
  readonly arguments: readonly string[];
  readonly password: Secret;
}

/** The variable in which the programs of PostgreSQL look for the password. */
export function postgresSecrets(
  { password }: { readonly password: Secret },
): Record<string, string> {
  return { PGPASSWORD: password.reveal() };
}

/** A name as an identifier in SQL. */
export function quoteSqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a literal in SQL. */
export function quoteSqlText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}

/**
 * A database for `-d`, which takes anything with an equals sign, or that looks like a URL, for a
 * connection string.
 */
export function databaseArgument(name: string): string {
  const plain = !name.includes("=") && !/^postgres(ql)?:\/\//.test(name);
  return plain ? name : `dbname='${name.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** The arguments that name the server. */
export function serverArguments({ host = "localhost", port }: DatabaseCredentials): string[] {
  return ["-h", host, ...(port === undefined ? [] : ["-p", port])];
}

/** The client for a way to connect. */
export function postgresClient(
  { environment }: Deployment,
  credentials: DatabaseCredentials,
  mode: "tcp" | "socket",
): PostgresClient {
  const { password, port } = credentials;
  if (mode === "tcp") {
    const server = serverArguments(credentials);
    return { mode, arguments: ["-w", ...server, "-U", credentials.username], password };
  }
  // The official image has an operating system user for the superuser, and trusts its socket; a
  // container of Kubernetes runs as the user it is meant to.
  return environment.kind === "docker"
    ? { mode, user: credentials.username, arguments: ["-w"], password }
    : { mode, arguments: ["-w", ...(port === undefined ? [] : ["-p", port])], password };
}

/**
 * Runs SQL with `psql`; several statements are one transaction.
 *
 * @param timeoutMs as in {@linkcode RunOptions}
 * @returns rows as lines, columns separated by `|`
 */
export async function runSql(
  { environment, signal }: Deployment,
  client: PostgresClient,
  database: string,
  sql: string,
  timeoutMs?: number,
): Promise<string> {
  const options: RunOptions = {
    secrets: postgresSecrets(client),
    signal,
    ...(client.user === undefined ? {} : { user: client.user }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  return await environment.run(TASK_MANAGER_DATABASE, [
    "psql",
    "-X",
    "-q",
    "-A",
    "-t",
    "-v",
    "ON_ERROR_STOP=1",
    ...client.arguments,
    "-d",
    databaseArgument(database),
    "-c",
    sql,
  ], options);
}
