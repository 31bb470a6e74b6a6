import type { ExecOptions } from "../../environment/mod.ts";
import { type Deployment, TASK_MANAGER_DATABASE } from "../deployment/mod.ts";
import type { Secret } from "../secret.ts";
import type { PostgresEndpoint, PostgresServer } from "./server.ts";
import { isSocketFolder } from "./server.ts";
import { LIBPQ_VARIABLES } from "./server_variables.ts";

/** How the programs of PostgreSQL reach a server. */
export interface PostgresClient {
  /** As the description says, or over the local socket as an operating system user. */
  readonly mode: "described" | "socket";
  /** Operating system user that the programs run as; the one they have anyway when not given. */
  readonly user?: string;
  /** Arguments that every program takes: host, port, role. */
  readonly arguments: readonly string[];
  /** What else decides the way, by libpq's keywords. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly password?: Secret;
}

const DEFAULT_PORT = "5432";

/**
 * The way that the description names. In a container the programs run beside the server, and their
 * connections do not leave it: there it is `localhost`, without what the description says of networks.
 */
export function describedClient(
  { environment }: Pick<Deployment, "environment">,
  server: PostgresServer,
): PostgresClient {
  const { username, password, parameters } = server;
  const { options } = parameters;
  const isHost = environment.kind === "host";
  const at = isHost
    ? addressArguments(server.endpoints)
    : ["-h", "localhost", ...portArguments(portBeside(server))];
  return {
    mode: "described",
    arguments: [...at, ...(username === undefined ? [] : ["-U", username])],
    parameters: isHost ? parameters : options === undefined ? {} : { options },
    ...(password === undefined ? {} : { password }),
  };
}

/**
 * The way over the local socket. The official image has an operating system user for the superuser,
 * and trusts its socket; a container of Kubernetes runs as the user it is meant to, and so do we on a
 * host.
 */
export function socketClient(
  { environment }: Pick<Deployment, "environment">,
  server: PostgresServer,
): PostgresClient {
  const { username, password } = server;
  const mode = "socket";
  if (environment.kind === "host") {
    const [{ host, port } = { host: "", port: "" }] = server.endpoints;
    const folder = isSocketFolder(host) ? ["-h", host] : [];
    // No password: the description's is of another role.
    return { mode, arguments: [...folder, ...portArguments(port)], parameters: {} };
  }
  return {
    mode,
    ...(environment.kind === "docker" && username !== undefined ? { user: username } : {}),
    arguments: portArguments(portBeside(server)),
    parameters: {},
    ...(password === undefined ? {} : { password }),
  };
}

/** The way that the description names, as one would go from inside a container. */
export function outsideClient({ endpoints, username, password }: PostgresServer): PostgresClient {
  return {
    mode: "described",
    arguments: [
      ...addressArguments(endpoints),
      ...(username === undefined ? [] : ["-U", username]),
    ],
    parameters: {},
    ...(password === undefined ? {} : { password }),
  };
}

/**
 * Whether a description names the server beside which programs run in containers, by its service's
 * name or by none.
 */
export function isBeside(
  { environment }: Pick<Deployment, "environment">,
  { endpoints, isOfTaskManager }: PostgresServer,
): boolean {
  // In a pod, localhost is what runs in it: beside the task manager that is a proxy.
  const isOwnPod = environment.kind === "kubernetes" && isOfTaskManager;
  return endpoints.every(({ host }) =>
    host === TASK_MANAGER_DATABASE ||
    (!isOwnPod && ["", "localhost", "127.0.0.1", "::1"].includes(host))
  );
}

/** What every program that connects is run with. */
export function clientOptions(client: PostgresClient): ExecOptions {
  const { user, password } = client;
  return {
    unset: LIBPQ_VARIABLES,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { secrets: { PGPASSWORD: password.reveal() } }),
  };
}

/**
 * A database for `-d`, with a client's parameters. `-d` takes anything with an equals sign, or that
 * looks like a URL, for a connection string.
 */
export function databaseArgument(
  name: string,
  parameters: Readonly<Record<string, string>> = {},
): string {
  const others = Object.entries(parameters);
  const plain = !name.includes("=") && !/^postgres(ql)?:\/\//.test(name);
  if (plain && others.length === 0) return name;
  return [["dbname", name], ...others]
    .map(([keyword, value = ""]) =>
      `${keyword}='${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`
    ).join(" ");
}

/** The port inside the container; a service of another name may have one of its own. */
function portBeside(server: PostgresServer): string {
  const [first] = server.endpoints;
  return first?.host === TASK_MANAGER_DATABASE || first?.host === "localhost" ? first.port : "";
}

function portArguments(port: string): string[] {
  return port === "" || port === DEFAULT_PORT ? [] : ["-p", port];
}

function addressArguments(endpoints: readonly PostgresEndpoint[]): string[] {
  const hosts = endpoints.map(({ host }) => host);
  const ports = endpoints.map(({ port }) => port);
  const isOnePort = new Set(ports).size <= 1;
  return [
    ...(hosts.some((host) => host !== "") ? ["-h", hosts.join(",")] : []),
    ...(isOnePort ? portArguments(ports[0] ?? "") : ["-p", ports.join(",")]),
  ];
}
