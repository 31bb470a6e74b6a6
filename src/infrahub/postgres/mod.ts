/**
 * The PostgreSQL of Prefect, the task manager: which server it is, its dump, a restore beside the
 * database in use that ends with a swap, its client, and waiting until it answers. What Prefect keeps
 * in it is no concern here: `tasks` asks Prefect itself while it runs.
 *
 * @module
 */

export { describedClient } from "./client.ts";
export { checkPostgresSource, postgresSource, startPostgres } from "./dump.ts";
export { openPostgresTarget } from "./restore.ts";
export { DatabaseSwap } from "./database_swap.ts";
export {
  checkPostgresServer,
  findPrivilegedClient,
  type RestorablePostgres,
} from "./restore_check.ts";
export { formatServer, type PostgresServer } from "./server.ts";
export { findPostgresServer } from "./server_variables.ts";
export { quoteSqlText, runSql } from "./sql.ts";
