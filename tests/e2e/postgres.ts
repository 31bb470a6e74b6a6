/** The task database of a test deployment: filling it and reading all of it back. */

import { type Deployment, text, waitUntil } from "./deployment.ts";

const SERVICE = "task-manager-db";

/** What is needed of a deployment: to run the programs of PostgreSQL beside the server. */
export type PostgresServer = Pick<Deployment, "exec">;

/** Runs SQL in a database (as the superuser, by the socket) and returns psql's unaligned rows. */
export async function sql(
  deployment: PostgresServer,
  statements: string,
  database = "prefect",
): Promise<string[]> {
  const flags = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database];
  const result = await deployment.exec(SERVICE, ["psql", ...flags], {
    stdin: new TextEncoder().encode(statements),
  });
  return text(result).split("\n").filter(Boolean);
}

/** Waits until the database takes connections. */
export async function postgresReady(deployment: PostgresServer): Promise<void> {
  const probe = ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres", "-d", "prefect"];
  await waitUntil("PostgreSQL", async () => {
    return (await deployment.exec(SERVICE, probe, { mayFail: true })).code === 0;
  });
}

/**
 * Adds tables like Prefect's: `rows` flow runs and three task runs each; with types, null values,
 * an index, a foreign key, a sequence, a view, a function and a large object. The same arguments
 * make the same rows.
 */
export async function seedPostgres(
  deployment: PostgresServer,
  rows: number,
  seed = "a",
): Promise<void> {
  await sql(
    deployment,
    `
    CREATE TABLE IF NOT EXISTS flow_run (
      id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, state jsonb, created timestamptz,
      note text, payload bytea, ratio double precision);
    CREATE INDEX IF NOT EXISTS flow_run_state ON flow_run USING gin (state);
    CREATE TABLE IF NOT EXISTS task_run (
      id bigserial PRIMARY KEY, flow bigint NOT NULL REFERENCES flow_run ON DELETE CASCADE,
      key uuid NOT NULL);
    CREATE OR REPLACE VIEW running AS SELECT name FROM flow_run WHERE state->>'type' = 'RUNNING';
    CREATE OR REPLACE FUNCTION runs() RETURNS bigint LANGUAGE sql
      AS 'SELECT count(*) FROM flow_run';
    WITH added AS (
      INSERT INTO flow_run (name, state, created, note, payload, ratio)
      SELECT '${seed}-' || n,
             jsonb_build_object('type', CASE n % 3 WHEN 0 THEN 'RUNNING' ELSE 'COMPLETED' END, 'n', n),
             timestamptz '2026-01-01 00:00:00+00' + n * interval '1 minute',
             CASE WHEN n % 5 = 0 THEN NULL ELSE E'Zeile\\t' || n || E'\\n"é"' END,
             decode(md5('${seed}' || n), 'hex'), n / 7.0
      FROM generate_series(1, ${rows}) AS n RETURNING id)
    INSERT INTO task_run (flow, key)
      SELECT added.id, md5('${seed}' || added.id || '/' || part)::uuid
      FROM added, generate_series(1, 3) AS part;
    SELECT lo_from_bytea(0, decode(md5('${seed}'), 'hex'));
    `,
  );
}

/**
 * Everything in the database, one line per row, sequence, large object, column, index, constraint,
 * view and function, sorted: two databases are equal when their lines are.
 */
export async function readAllRows(
  deployment: PostgresServer,
  database = "prefect",
): Promise<string[]> {
  const tables = await sql(
    deployment,
    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables " +
      "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1;",
    database,
  );
  const quoted = (table: string): string => table.replaceAll("'", "''");
  const queries = [
    ...tables.map((table) => `SELECT '${quoted(table)} ' || to_jsonb(t)::text FROM ${table} AS t`),
    "SELECT format('sequence %s %s', sequencename, last_value) FROM pg_sequences",
    "SELECT format('large object %s %s', oid, encode(lo_get(oid), 'hex')) " +
    "FROM pg_largeobject_metadata",
    "SELECT format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, " +
    "column_default) FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT format('constraint %s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint " +
    "WHERE connamespace = 'public'::regnamespace",
    "SELECT format('view %s %s', viewname, regexp_replace(definition, '\\s+', ' ', 'g')) " +
    "FROM pg_views WHERE schemaname = 'public'",
    "SELECT format('function %s %s', proname, prosrc) FROM pg_proc " +
    "WHERE pronamespace = 'public'::regnamespace",
    "SELECT format('owner %s', pg_get_userbyid(datdba)) FROM pg_database " +
    "WHERE datname = current_database()",
  ];
  const lines = await sql(deployment, queries.map((query) => `${query};`).join("\n"), database);
  return lines.toSorted();
}
