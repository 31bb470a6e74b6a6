import type { RunOptions } from "../../environment/mod.ts";
import { DATABASE, type DatabaseCredentials, type Deployment } from "../deployment/mod.ts";
import { InvalidInputError } from "../errors.ts";

/** A query for `cypher-shell`. */
export interface CypherQuery {
  readonly query: string;
  /**
   * Database that it runs in.
   *
   * @default {"system"}
   */
  readonly database?: string;
  /** Text values, by name. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Milliseconds; 0 for no limit. */
  readonly timeoutMs?: number;
}

/** A name as an identifier in Cypher. */
export function quoteCypherName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** A text as a literal in Cypher. */
export function quoteCypherText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/**
 * A name that can be given to `neo4j-admin`, which takes `*` and `?` for patterns and anything that
 * begins with a dash for an option.
 *
 * @throws {InvalidInputError} when it is not a plain name
 */
export function checkNeo4jDatabaseName(name: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$/.test(name)) {
    throw new InvalidInputError(`invalid Neo4j database name: ${JSON.stringify(name)}`);
  }
  return name;
}

/** The variables in which `cypher-shell` looks for credentials, and for its server. */
export function cypherSecrets(credentials: DatabaseCredentials): Record<string, string> {
  return {
    NEO4J_USERNAME: credentials.username,
    NEO4J_PASSWORD: credentials.password.reveal(),
    ...(credentials.uri === undefined ? {} : { NEO4J_URI: credentials.uri }),
  };
}

/**
 * Runs a query with `cypher-shell` where Neo4j runs.
 *
 * @returns the output in plain format: a line of column names, then one line per row
 */
export async function runCypher(
  { environment, signal }: Deployment,
  credentials: DatabaseCredentials,
  { query, database = "system", parameters = {}, timeoutMs }: CypherQuery,
): Promise<string> {
  const options: RunOptions = {
    secrets: cypherSecrets(credentials),
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  const argv = ["cypher-shell", "-d", database, "--format", "plain"];
  for (const [name, value] of Object.entries(parameters)) {
    argv.push("--param", `${name} => ${quoteCypherText(value)}`);
  }
  return await environment.run(DATABASE, [...argv, query], options);
}

/** The rows of a plain output, without the line of column names and without quotes. */
export function parseRows(output: string): string[][] {
  const lines = output.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.slice(1).map((line) =>
    line.split(",").map((value) => value.trim().replace(/^"(.*)"$/, "$1"))
  );
}
