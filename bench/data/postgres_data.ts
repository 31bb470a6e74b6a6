import { type Change, type DataSet, streamOf } from "./data_set.ts";
import { PostgresServer } from "./postgres_server.ts";

/** What one flow run with all that belongs to it takes in the dump. Measured. */
const BYTES_PER_FLOW_RUN = 5600;

/** In the shape of Prefect's: uuids as keys, states, parameters and events as JSON, log lines. */
const SCHEMA = `
  CREATE TABLE flow (
    seq bigint PRIMARY KEY, id uuid NOT NULL, created timestamptz NOT NULL, name text NOT NULL,
    tags jsonb NOT NULL);
  CREATE TABLE flow_run (
    seq bigint PRIMARY KEY, id uuid NOT NULL, created timestamptz NOT NULL,
    updated timestamptz NOT NULL, flow_id uuid NOT NULL, name text NOT NULL,
    state_type text NOT NULL, state_name text NOT NULL, parameters jsonb NOT NULL,
    tags jsonb NOT NULL, start_time timestamptz, end_time timestamptz,
    total_run_time double precision NOT NULL, empirical_policy jsonb NOT NULL);
  CREATE TABLE task_run (
    seq bigint PRIMARY KEY, id uuid NOT NULL, created timestamptz NOT NULL,
    updated timestamptz NOT NULL, flow_run_id uuid NOT NULL, task_key text NOT NULL,
    dynamic_key text NOT NULL, state_type text NOT NULL, task_inputs jsonb NOT NULL,
    state_details jsonb NOT NULL, start_time timestamptz, end_time timestamptz,
    total_run_time double precision NOT NULL);
  CREATE TABLE log (
    seq bigint PRIMARY KEY, id uuid NOT NULL, flow_run_id uuid NOT NULL, task_run_id uuid,
    name text NOT NULL, level smallint NOT NULL, message text NOT NULL,
    "timestamp" timestamptz NOT NULL);
  CREATE TABLE events (
    seq bigint PRIMARY KEY, id uuid NOT NULL, occurred timestamptz NOT NULL, event text NOT NULL,
    resource jsonb NOT NULL, payload jsonb NOT NULL, received timestamptz NOT NULL);
`;

/** Values that look random and are the same in every run: hashes of the row's number. */
function seed(flowRuns: number): string {
  const time = (number: string) =>
    `timestamptz '2026-01-01 00:00:00+00' + (${number}) * interval '37.613 seconds'`;
  const uuid = (kind: string, number: string) => `md5('${kind}' || (${number}))::uuid`;
  const pick = (values: readonly string[], number: string) =>
    `(ARRAY[${values.map((value) => `'${value}'`).join(",")}])[1 + (hashint8(${number}) & ${
      values.length - 1
    })]`;
  const states = ["COMPLETED", "FAILED", "RUNNING", "COMPLETED"];
  return `
    INSERT INTO flow SELECT n, ${uuid("flow", "n")}, ${time("n")},
      'artifact-generation-' || n, jsonb_build_array('infrahub', 'branch-' || n % 7)
      FROM generate_series(0, 199) n;
    INSERT INTO flow_run SELECT n, ${uuid("run", "n")}, ${time("n")}, ${time("n + 2")},
      ${uuid("flow", "n % 200")}, 'spirited-otter-' || substr(md5('name' || n), 1, 8),
      ${pick(states, "n")}, initcap(${pick(states, "n")}),
      jsonb_build_object('branch', 'branch-' || n % 61, 'node_id', md5('node' || n),
        'kind', ${pick(["InfraDevice", "InfraInterfaceL3", "IpamPrefix", "BuiltinTag"], "n + 1")},
        'proposed_change', n % 977, 'message', repeat(md5('message' || n) || ' ', 3)),
      jsonb_build_array('infrahub.app', 'infrahub.app/node/' || md5('node' || n)),
      ${time("n")}, ${time("n + 1")}, (hashint8(n) & 65535) / 1000.0,
      jsonb_build_object('retries', n % 4, 'retry_delay', 10 * (n % 6), 'pause_keys', '[]'::jsonb)
      FROM generate_series(1::bigint, ${flowRuns}) n;
    INSERT INTO task_run SELECT n, ${uuid("task", "n")}, ${time("n / 4")}, ${time("n / 4 + 1")},
      ${uuid("run", "n / 4")}, ${pick(["render", "validate", "store", "notify"], "n")} || '-' ||
        substr(md5('key' || n % 311), 1, 8), (n % 4)::text, ${pick(states, "n")},
      jsonb_build_object('model', jsonb_build_array(jsonb_build_object('id', md5('input' || n),
        'input_type', 'task_run'))),
      jsonb_build_object('flow_run_id', md5('run' || n / 4), 'task_run_id', md5('task' || n),
        'cache_key', md5('cache' || n), 'untrackable_result', false),
      ${time("n / 4")}, ${time("n / 4 + 1")}, (hashint8(n) & 65535) / 1000.0
      FROM generate_series(1::bigint, ${flowRuns} * 4) n;
    INSERT INTO log SELECT n, ${uuid("log", "n")}, ${uuid("run", "n / 8")},
      CASE WHEN n % 3 = 0 THEN NULL ELSE ${uuid("task", "n / 2")} END, 'prefect.flow_runs',
      ${pick(["10", "20", "20", "30"], "n")}::smallint,
      ${
    pick([
      "Finished in state Completed() for node ",
      "Generating artifact of the definition of ",
      "Created task run for the branch of ",
      "Query took longer than usual on ",
    ], "n")
  } || md5('node' || n / 8) || ' after ' || (hashint8(n) & 4095) || ' ms',
      ${time("n / 8.0")} FROM generate_series(1::bigint, ${flowRuns} * 8) n;
    INSERT INTO events SELECT n, ${uuid("event", "n")}, ${time("n / 2.0")},
      'infrahub.node.' || ${pick(["created", "updated", "deleted", "updated"], "n")},
      jsonb_build_object('prefect.resource.id', 'infrahub.node.' || md5('node' || n / 2),
        'infrahub.node.kind', 'InfraDevice', 'infrahub.branch.name', 'branch-' || n % 61),
      jsonb_build_object('kind', 'InfraDevice', 'action', 'updated', 'data', jsonb_build_object(
        'name', jsonb_build_object('value', 'device-' || n, 'previous', md5('old' || n)),
        'height', n % 48, 'checksum', md5('a' || n) || md5('b' || n), 'fields',
        jsonb_build_array('name', 'height', 'description'))), ${time("n / 2.0 + 0.1")}
      FROM generate_series(1::bigint, ${flowRuns} * 2) n;
  `;
}

/** Changes the rows for which `where` holds, in all tables that grow. */
function change(where: (rows: number) => string, flowRuns: number): string {
  const later = "+ interval '91 days'";
  return `
    UPDATE flow_run SET updated = updated ${later}, end_time = end_time ${later},
      state_type = 'CANCELLED', state_name = 'Cancelled' WHERE ${where(flowRuns)};
    UPDATE task_run SET updated = updated ${later}, state_type = 'CANCELLED'
      WHERE ${where(flowRuns * 4)};
    UPDATE log SET message = 'Changed: ' || message WHERE ${where(flowRuns * 8)};
    UPDATE events SET received = received ${later}, payload = payload || '{"action": "changed"}'
      WHERE ${where(flowRuns * 2)};
  `;
}

const CHANGES = [
  {
    name: "scattered",
    title: "1 % of the rows changed, every hundredth",
    where: () => "seq % 100 = 50",
  },
  {
    name: "clustered",
    title: "1 % of the rows changed, side by side",
    where: (rows: number) =>
      `seq BETWEEN ${Math.floor(rows / 2)} AND ${Math.floor(rows / 2 + rows / 100) - 1}`,
  },
];

/**
 * Dumps of a real PostgreSQL, before and after one percent of the rows was changed, made by
 * `pg_dump -Fc -Z0`.
 *
 * @param bytes about how long the dump is
 * @returns the data, and the version of PostgreSQL
 * @throws {BenchError} when PostgreSQL cannot be had
 */
export async function makePostgresData(
  folder: string,
  bytes: number,
): Promise<{ data: DataSet; version: string }> {
  await using server = await PostgresServer.start(folder);
  const flowRuns = Math.max(100, Math.floor(bytes / BYTES_PER_FLOW_RUN));
  await server.sql("CREATE DATABASE prefect");
  await server.sql(SCHEMA, "prefect");
  await server.sql(seed(flowRuns), "prefect");
  await server.dump("prefect", `${folder}/postgres-1`);
  // A copy of its files is the same database, row for row; dumps have its name in them.
  await server.sql("ALTER DATABASE prefect RENAME TO original");
  const changes: Change[] = [];
  for (const { name, title, where } of CHANGES) {
    await server.sql("CREATE DATABASE prefect TEMPLATE original");
    await server.sql(change(where, flowRuns), "prefect");
    const file = `${folder}/postgres-2-${name}`;
    await server.dump("prefect", file);
    await server.sql("DROP DATABASE prefect");
    changes.push({ name, title, stream: await streamOf(file) });
  }
  return {
    data: {
      name: "postgres",
      title: "pg_dump -Fc -Z0 of a task database",
      kind: "postgres-dump",
      first: await streamOf(`${folder}/postgres-1`),
      changes,
    },
    version: await server.version(),
  };
}
