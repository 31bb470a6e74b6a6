/**
 * Prefect's PostgreSQL: its dump, and a restore beside the database in use that ends with a swap.
 *
 * @module
 */

export { type PostgresDumpOptions, postgresSource, startPostgres } from "./dump.ts";
export {
  type CheckPostgresOptions,
  checkPostgresServer,
  openPostgresTarget,
  type PostgresRestoreOptions,
  type PostgresServer,
  type PostgresTarget,
} from "./restore.ts";
export { postgresClient, quoteSqlText, runSql, serverArguments } from "./sql.ts";
