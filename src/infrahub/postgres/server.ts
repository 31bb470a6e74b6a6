import type { Secret } from "../secret.ts";

/** One place where a server may be; several are tried in their order, as libpq does. */
export interface PostgresEndpoint {
  /** A name, an address, or the folder of a socket; empty for libpq's own folder. */
  readonly host: string;
  /** Empty for 5432. */
  readonly port: string;
}

/**
 * A PostgreSQL server, and the database and role on it that a deployment uses. The dump, the restore,
 * every wait and every message go by this one description.
 */
export interface PostgresServer {
  readonly endpoints: readonly PostgresEndpoint[];
  readonly database: string;
  /** The operating system's user when not given, as in libpq. */
  readonly username?: string;
  /** Looked for in the password file when not given, as in libpq. */
  readonly password?: Secret;
  /** What else decides how it is connected to, by libpq's keywords: `sslmode`, `sslrootcert`, … */
  readonly parameters: Readonly<Record<string, string>>;
  /** What described it, for people: the name of a variable, and whose. */
  readonly origin: string;
  /** Whether it was the task manager's own variables, so that names are as it sees them. */
  readonly isOfTaskManager: boolean;
}

const DEFAULT_PORT = "5432";

/** What opens a server's socket or address, for people: `db:5433`, `[::1]:5432`, a folder. */
export function formatEndpoint({ host, port }: PostgresEndpoint): string {
  if (host === "") return port === "" ? "the local socket" : `the local socket of port ${port}`;
  if (isSocketFolder(host)) return port === "" ? `socket ${host}` : `socket ${host}, port ${port}`;
  return `${host.includes(":") ? `[${host}]` : host}:${port || DEFAULT_PORT}`;
}

/** A server in one line, for people: which database, where, as whom, and who says so. No password. */
export function formatServer(server: PostgresServer): string {
  const { endpoints, database, username, parameters, origin } = server;
  const names = ["hostaddr", "sslmode", "sslrootcert", "sslcert", "target_session_attrs"];
  const shown = names.flatMap((name) => {
    const value = parameters[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return [
    `database ${database} at ${endpoints.map(formatEndpoint).join(" or ")}`,
    ...(username === undefined ? [] : [`as ${username}`]),
    ...(shown.length === 0 ? [] : [`with ${shown.join(" ")}`]),
    `(${origin})`,
  ].join(" ");
}

/** Whether libpq takes a host for the folder of a socket, or for an abstract one. */
export function isSocketFolder(host: string): boolean {
  return host.startsWith("/") || host.startsWith("@");
}
