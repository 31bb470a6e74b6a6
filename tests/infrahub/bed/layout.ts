/** Where a deployment's parts are, and what its processes are told. */

import { INFRAHUB_VERSION } from "../../../scripts/infrahub/programs.ts";

/** What is chosen for one deployment. */
export interface Layout {
  /** Everything that it writes lies below it. */
  readonly folder: string;
  /** The Python environment with Infrahub. */
  readonly python: string;
  /** The folder of PostgreSQL's programs. */
  readonly postgresPrograms: string;
  /** An address of this machine alone on which all services listen, with their usual ports. */
  readonly address: string;
  /** Of Erlang's port mapper, and of RabbitMQ for others of its kind; both on 127.0.0.1. */
  readonly erlangPorts: { readonly mapper: number; readonly distribution: number };
  readonly secrets: {
    readonly neo4j: string;
    readonly postgres: string;
    readonly adminToken: string;
    readonly agentToken: string;
    readonly key: string;
  };
}

/** A new deployment's passwords and tokens. */
export function newSecrets(): Layout["secrets"] {
  return {
    neo4j: crypto.randomUUID(),
    postgres: `p/@%'${crypto.randomUUID()}`,
    adminToken: crypto.randomUUID(),
    agentToken: crypto.randomUUID(),
    key: crypto.randomUUID(),
  };
}

/** The role of the task manager in PostgreSQL: it may create databases, and nothing else. */
export const POSTGRES_ROLE = "prefect";

/** How Prefect gets into its database. */
export function databaseUrl({ address, secrets }: Layout): string {
  const password = encodeURIComponent(secrets.postgres);
  return `postgresql+asyncpg://${POSTGRES_ROLE}:${password}@${address}:5432/prefect`;
}

/**
 * The variables that all of Infrahub's processes share, as the `environment` of the product's own
 * compose file has them: what an operator sources on a host before calling the tool.
 */
export function applicationVariables(layout: Layout): Readonly<Record<string, string>> {
  const { folder, address, secrets } = layout;
  return {
    INFRAHUB_PRODUCTION: "false",
    INFRAHUB_LOG_LEVEL: "INFO",
    INFRAHUB_TELEMETRY_OPTOUT: "true",
    INFRAHUB_DB_ADDRESS: address,
    INFRAHUB_DB_USERNAME: "neo4j",
    INFRAHUB_DB_PASSWORD: secrets.neo4j,
    INFRAHUB_BROKER_ADDRESS: address,
    INFRAHUB_CACHE_ADDRESS: address,
    INFRAHUB_WORKFLOW_ADDRESS: address,
    INFRAHUB_WORKFLOW_DEFAULT_WORKER_TYPE: "infrahubasync",
    INFRAHUB_INITIAL_ADMIN_TOKEN: secrets.adminToken,
    INFRAHUB_INITIAL_AGENT_TOKEN: secrets.agentToken,
    INFRAHUB_SECURITY_SECRET_KEY: secrets.key,
    INFRAHUB_STORAGE_LOCAL_PATH: `${folder}/storage`,
    INFRAHUB_GIT_REPOSITORIES_DIRECTORY: `${folder}/git`,
    INFRAHUB_GIT_GLOBAL_CONFIG_FILE: `${folder}/git/.gitconfig`,
    INFRAHUB_ADDRESS: `http://${address}:8000`,
    INFRAHUB_INTERNAL_ADDRESS: `http://${address}:8000`,
    PREFECT_API_URL: `http://${address}:4200/api`,
    PREFECT_HOME: `${folder}/prefect`,
    PREFECT_SERVER_ANALYTICS_ENABLED: "false",
    PREFECT_WORKER_QUERY_SECONDS: "2",
    PREFECT_SERVER_EVENTS_MAXIMUM_RELATED_RESOURCES: "500",
    PREFECT_API_DATABASE_TIMEOUT: "60",
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY: "30",
    DO_NOT_TRACK: "1",
  };
}

/** What Infrahub's server in `python` takes its settings for gunicorn from. */
export async function gunicornSettings(python: string): Promise<string> {
  for await (const { name } of Deno.readDir(`${python}/lib`)) {
    const path = `${python}/lib/${name}/site-packages/infrahub/serve/gunicorn_config.py`;
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  throw new Error(`No settings for gunicorn in Infrahub ${INFRAHUB_VERSION} at ${python}`);
}
