import type { RunOptions } from "../../environment/mod.ts";
import { type Deployment, TASK_MANAGER_DATABASE } from "../deployment/mod.ts";
import { clientOptions, databaseArgument, type PostgresClient } from "./client.ts";

/** A name as an identifier in SQL. */
export function quoteSqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a literal in SQL. */
export function quoteSqlText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}

/** Texts as an array in SQL. */
export function quoteSqlTexts(texts: readonly string[]): string {
  return `ARRAY[${texts.map(quoteSqlText).join(", ")}]::text[]`;
}

/** A database that is there on every server, from which another one can be renamed or dropped. */
export function maintenanceDatabase(database: string): string {
  return database === "postgres" ? "template1" : "postgres";
}

/**
 * Runs SQL with `psql`; several statements in one text are one transaction.
 *
 * @param sql statements, or several such texts, which are run one after the other; one of them may be
 * a command of psql's own
 * @param timeoutMs as in {@linkcode RunOptions}
 * @returns rows as lines, columns separated by `|`
 */
export async function runSql(
  { environment, signal }: Deployment,
  client: PostgresClient,
  database: string,
  sql: string | readonly string[],
  timeoutMs?: number,
): Promise<string> {
  const options: RunOptions = {
    ...clientOptions(client),
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  const commands = typeof sql === "string" ? [sql] : sql;
  return await environment.run(TASK_MANAGER_DATABASE, [
    "psql",
    "-X",
    "-q",
    "-A",
    "-t",
    "-v",
    "ON_ERROR_STOP=1",
    "-w",
    ...client.arguments,
    "-d",
    databaseArgument(database, client.parameters),
    // Whatever encoding a database has, names and comments come as UTF-8.
    "-c",
    "\\encoding UTF8",
    ...commands.flatMap((one) => ["-c", one]),
  ], options);
}
