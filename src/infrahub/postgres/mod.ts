/**
 * The PostgreSQL of Prefect, the task manager: its dump, a restore beside the database in use that
 * ends with a swap, its client, and waiting until it answers. What Prefect keeps in it is no concern
 * here: that is asked of Prefect itself, in `tasks`.
 *
 * @module
 */

export { postgresSource, startPostgres } from "./dump.ts";
export { checkPostgresServer, openPostgresTarget, type PostgresServer } from "./restore.ts";
export { postgresClient, quoteSqlText, runSql } from "./sql.ts";
