/**
 * The services as units of the stand-in for systemctl: each is a script that becomes the process.
 * None waits for another, and none is started again: starting them in the right order, and waiting,
 * is for whoever starts them.
 *
 * @module
 */

import { applicationVariables, databaseUrl, type Layout } from "./layout.ts";

/** The services, in the order in which they can be started: each needs those before it. */
export const SERVICES = [
  "cache",
  "message-queue",
  "task-manager-db",
  "database",
  "task-manager",
  "infrahub-server",
  "task-worker",
] as const;

/** One of {@linkcode SERVICES}. */
export type Service = typeof SERVICES[number];

/** A word of a shell's command line. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function exports(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join("");
}

/** The beginning of a command that makes it another user's, without a process between. */
function asUser(user: string): string {
  return `setpriv --reuid ${user} --regid ${user} --init-groups`;
}

/** The environment of a process of Infrahub's. */
function application(layout: Layout, others: Readonly<Record<string, string>> = {}): string {
  return exports({ ...applicationVariables(layout), ...others }) +
    `export PATH=${quote(`${layout.python}/bin`)}:"$PATH"\ncd ${quote(layout.folder)}\n`;
}

/** The script of every unit. @param gunicornSettings the file that Infrahub brings */
export function unitScripts(layout: Layout, gunicornSettings: string): Record<Service, string> {
  const { folder, address, erlangPorts, postgresPrograms } = layout;
  const neo4j = `${folder}/neo4j`;
  return {
    "cache": `cd ${folder}/redis
exec ${asUser("redis")} redis-server --bind ${address} --port 6379 --dir ${folder}/redis
`,
    "message-queue": exports({
      ERL_EPMD_ADDRESS: "127.0.0.1",
      ERL_EPMD_PORT: `${erlangPorts.mapper}`,
      RABBITMQ_NODENAME: "infrahub@localhost",
      RABBITMQ_NODE_IP_ADDRESS: address,
      RABBITMQ_DIST_PORT: `${erlangPorts.distribution}`,
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
      RABBITMQ_MNESIA_BASE: `${folder}/rabbitmq/mnesia`,
      RABBITMQ_LOG_BASE: `${folder}/rabbitmq/log`,
      RABBITMQ_CONFIG_FILE: `${folder}/rabbitmq/rabbitmq.conf`,
      RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/rabbitmq/enabled_plugins`,
      HOME: `${folder}/rabbitmq`,
    }) + `cd ${folder}/rabbitmq
exec ${asUser("rabbitmq")} /usr/lib/rabbitmq/bin/rabbitmq-server
`,
    "task-manager-db": `exec ${asUser("postgres")} ${postgresPrograms}/postgres \\
  -D ${folder}/postgres -p 5432 -k ${folder}/socket -c listen_addresses=${address}
`,
    "database": `export NEO4J_HOME=${neo4j} PATH=${neo4j}/bin:"$PATH"
cd ${neo4j}
command=$(${asUser("neo4j")} neo4j console --dry-run)
eval "exec ${asUser("neo4j")} $command"
`,
    "task-manager": application(layout, {
      PREFECT_UI_ENABLED: "false",
      PREFECT_API_DATABASE_CONNECTION_URL: databaseUrl(layout),
      // Of the parameters of one run: those of Infrahub's own runs for a schema are larger than the
      // usual 512 KiB.
      PREFECT_SERVER_API_MAX_PARAMETER_SIZE: `${10 * 1024 * 1024}`,
      PREFECT_REDIS_MESSAGING_HOST: address,
      PREFECT_REDIS_MESSAGING_DB: "1",
      WEB_CONCURRENCY: "1",
    }) + `exec gunicorn -k uvicorn.workers.UvicornWorker -b ${address}:4200 \\
  'infrahub.prefect_server.app:create_infrahub_prefect()'
`,
    "infrahub-server": application(layout) + `exec gunicorn --config ${quote(gunicornSettings)} \\
  -b ${address}:8000 -w 1 --logger-class infrahub.serve.log.GunicornLogger infrahub.server:app
`,
    "task-worker": application(layout, {
      INFRAHUB_API_TOKEN: layout.secrets.agentToken,
      INFRAHUB_TIMEOUT: "60",
      INFRAHUB_PAGINATION_SIZE: "50",
      PREFECT_API_REQUEST_TIMEOUT: "120",
      // The usual one is the server's here, where all are on one machine.
      INFRAHUB_METRICS_PORT: "8001",
      BED_METRICS_ADDRESS: address,
      PYTHONPATH: `${folder}/python`,
    }) + "exec prefect worker start --type infrahubasync --pool infrahub-worker\n",
  };
}
