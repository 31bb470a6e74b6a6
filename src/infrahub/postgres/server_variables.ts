import type { Deployment, ReadVariable } from "../deployment/mod.ts";
import { readServiceVariables, TASK_MANAGER } from "../deployment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { InvalidInputError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { type ConnectionParts, parseConnectionUrl } from "./connection_url.ts";
import { combinePairs } from "./connection_url.ts";
import { readService } from "./_service_file.ts";
import type { PostgresEndpoint, PostgresServer } from "./server.ts";

/** A description whose gaps are still to be filled. */
interface Description extends ConnectionParts {
  readonly origin: string;
}

/** Where variables are from. */
interface Source {
  readonly read: ReadVariable;
  /** Appended to a variable's name in messages; empty for the tool's own environment. */
  readonly whose: string;
  /** Whether files that they name are those of this process. */
  readonly isHere: boolean;
}

/** Both prefixes of Prefect; the first that is set counts, for each setting. */
const PREFIXES = ["PREFECT_SERVER_DATABASE_", "PREFECT_API_DATABASE_"] as const;
const DRIVER = "postgresql+asyncpg";
const TLS = "PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_";
const TRUE = /^(1|true|t|yes|y|on)$/i;
/** What Infrahub's Compose file and its charts use; the password is the Go tool's. */
const IN_CONTAINERS = { database: "prefect", username: "postgres", password: "prefect" } as const;

/** Variables of libpq that describe a server, a role or a database, by its keywords. */
const ADDRESS_VARIABLES = {
  PGHOST: "host",
  PGPORT: "port",
  PGDATABASE: "dbname",
  PGUSER: "user",
  PGPASSWORD: "password",
  PGSERVICE: "service",
  PGSERVICEFILE: "servicefile",
  PGHOSTADDR: "hostaddr",
} as const;

/** Variables of libpq that say how a server is connected to. */
const MANNER_VARIABLES = {
  PGPASSFILE: "passfile",
  PGREQUIREAUTH: "require_auth",
  PGCHANNELBINDING: "channel_binding",
  PGOPTIONS: "options",
  PGSSLMODE: "sslmode",
  PGSSLCOMPRESSION: "sslcompression",
  PGSSLCERT: "sslcert",
  PGSSLKEY: "sslkey",
  PGSSLCERTMODE: "sslcertmode",
  PGSSLROOTCERT: "sslrootcert",
  PGSSLCRL: "sslcrl",
  PGSSLCRLDIR: "sslcrldir",
  PGSSLSNI: "sslsni",
  PGSSLNEGOTIATION: "sslnegotiation",
  PGREQUIREPEER: "requirepeer",
  PGSSLMINPROTOCOLVERSION: "ssl_min_protocol_version",
  PGSSLMAXPROTOCOLVERSION: "ssl_max_protocol_version",
  PGMINPROTOCOLVERSION: "min_protocol_version",
  PGMAXPROTOCOLVERSION: "max_protocol_version",
  PGGSSENCMODE: "gssencmode",
  PGGSSDELEGATION: "gssdelegation",
  PGGSSLIB: "gsslib",
  PGKRBSRVNAME: "krbsrvname",
  PGCONNECT_TIMEOUT: "connect_timeout",
  PGTARGETSESSIONATTRS: "target_session_attrs",
  PGLOADBALANCEHOSTS: "load_balance_hosts",
} as const;

/**
 * All variables that PostgreSQL's programs look at by themselves. None of them may be inherited: what
 * counts of them has been read into the description.
 */
export const LIBPQ_VARIABLES: readonly string[] = [
  ...Object.keys(ADDRESS_VARIABLES),
  ...Object.keys(MANNER_VARIABLES),
  // Of Debian's wrapper around the programs: it names one of this machine's servers.
  "PGCLUSTER",
  "PGREQUIRESSL",
  "PGAPPNAME",
  "PGCLIENTENCODING",
  "PGDATESTYLE",
  "PGTZ",
  "PGGEQO",
  "PGSYSCONFDIR",
];

/**
 * Finds out which server the deployment uses: from the tool's own environment, else from that of the
 * task manager, else, on a host, from libpq's variables alone. In containers, whose programs run
 * beside the server, what is usual counts when nobody can be asked.
 *
 * A description is taken whole, from one place. What it leaves out of role, password and database,
 * and how it is connected to, comes from libpq's variables of the same place; the address never does:
 * a shell that exports `PGHOST` for other work must not choose the server that is replaced.
 *
 * @param readVariable the tool's own environment
 * @throws {InvalidInputError} when what is there cannot be honoured, or nothing is there on a host; it
 * names the variable
 */
export async function findPostgresServer(
  deployment: Deployment,
  readVariable: ReadVariable,
): Promise<PostgresServer> {
  const isHost = deployment.environment.kind === "host";
  const own: Source = { read: readVariable, whose: "", isHere: isHost };
  let description = await describe(own);
  if (!isHost && !isComplete(description)) {
    const inService = await readServiceVariables(deployment, TASK_MANAGER, "PostgreSQL");
    const theirs = inService && await describe({
      read: inService,
      whose: ` of ${TASK_MANAGER}`,
      isHere: false,
    });
    // As the Go tool: what the task manager says comes first, as a whole.
    if (theirs !== undefined) {
      return complete({ ...pickNames(description), ...theirs }, own, true);
    }
  }
  if (isHost) description ??= await describeByLibpq(own);
  if (description === undefined) {
    if (isHost) {
      throw new InvalidInputError(
        "no PostgreSQL server is named: set PREFECT_API_DATABASE_CONNECTION_URL to the URL that " +
          "the task manager uses, or leave its database out with --exclude-taskmanager",
      );
    }
    const { password, ...names } = IN_CONTAINERS;
    return {
      ...names,
      password: new Secret(readVariable("PGPASSWORD") || password),
      endpoints: [{ host: "localhost", port: "" }],
      parameters: {},
      origin: "what is usual; nothing names it",
      isOfTaskManager: false,
    };
  }
  return complete(description, own, false);
}

function isComplete(description: Description | undefined): boolean {
  const { database, username, password } = description ?? {};
  return Boolean(database && username && password);
}

function pickNames(description: Description | undefined) {
  const { database, username, password } = description ?? {};
  return {
    ...(database ? { database } : {}),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}

function complete(
  description: Description,
  own: Source,
  isOfTaskManager: boolean,
): PostgresServer {
  const isHost = own.isHere;
  const { endpoints, username, password, parameters, origin } = description;
  // As libpq and asyncpg: a database of the role's name.
  const database = description.database ?? username;
  if (database === undefined) {
    throw new InvalidInputError(`${origin} names neither a database nor a user`);
  }
  if (username === undefined && !isHost) {
    throw new InvalidInputError(`${origin} names no user`);
  }
  // In a container it is the operator who may know what the service reads from a file.
  const found = password ?? (isHost ? undefined : own.read("PGPASSWORD") || undefined);
  return {
    endpoints: endpoints ?? [{ host: "", port: "" }],
    database,
    ...(username === undefined ? {} : { username }),
    ...(found === undefined ? {} : { password: new Secret(found) }),
    parameters,
    origin,
    isOfTaskManager,
  };
}

/** What Prefect's variables of one place say, its gaps filled; undefined when they say nothing. */
async function describe(source: Source): Promise<Description | undefined> {
  const name = settingName(source.read, "CONNECTION_URL");
  const described = name === undefined ? fromSettings(source) : fromUrl(source, name);
  if (described === undefined) return undefined;
  const withService = await resolveService(described, source);
  return withTls(fillGaps(withService, source), source);
}

function fromUrl(source: Source, name: string): Description {
  const origin = `${name}${source.whose}`;
  let url = source.read(name) ?? "";
  // Prefect puts its password setting in there.
  for (const prefix of PREFIXES) {
    const place = `\${${prefix}PASSWORD}`;
    if (!url.includes(place)) continue;
    const password = settingName(source.read, "PASSWORD");
    if (password === undefined) {
      throw new InvalidInputError(`${origin} has a place for ${prefix}PASSWORD, which is not set`);
    }
    url = url.replaceAll(place, () => source.read(password) ?? "");
  }
  return naming(origin, () => ({ ...parseConnectionUrl(url), origin }));
}

/** The settings that Prefect makes a URL of, where there is none. */
function fromSettings({ read, whose }: Source): Description | undefined {
  const value = (setting: string) => {
    const name = settingName(read, setting);
    return name === undefined ? undefined : read(name);
  };
  const driverName = settingName(read, "DRIVER");
  const anyName = ["HOST", "PORT", "USER", "NAME", "PASSWORD"].map((setting) =>
    settingName(read, setting)
  ).find((name) => name !== undefined);
  const origin = `${driverName ?? anyName}${whose}`;
  const driver = value("DRIVER");
  if (driver === undefined) {
    if (anyName === undefined || value("HOST") === undefined) return undefined;
    throw new InvalidInputError(
      `${origin} counts for Prefect only together with ${PREFIXES[1]}DRIVER=${DRIVER}`,
    );
  }
  if (driver !== DRIVER) {
    throw new InvalidInputError(
      `${origin} names another database system (${driver.replace(/[^\w+]/g, "")}), not PostgreSQL`,
    );
  }
  const missing = ["HOST", "USER", "NAME"].filter((setting) => value(setting) === undefined);
  if (missing.length > 0) {
    throw new InvalidInputError(
      `${origin} needs ${missing.map((setting) => PREFIXES[1] + setting).join(", ")} as well`,
    );
  }
  const pairs = { host: "HOST", port: "PORT", user: "USER", dbname: "NAME", password: "PASSWORD" };
  const said = Object.entries(pairs).flatMap(([keyword, setting]): [string, string][] => {
    const found = value(setting);
    return found === undefined ? [] : [[keyword, found]];
  });
  return naming(origin, () => ({ ...combinePairs(said), origin }));
}

/** Prefect's settings for a certificate of the client's own; they come before what the URL says. */
function withTls(description: Description, { read, whose }: Source): Description {
  if (!TRUE.test(read(`${TLS}ENABLED`) ?? "")) return description;
  const checks = TRUE.test(read(`${TLS}CHECK_HOSTNAME`) || "true");
  const authority = read(`${TLS}CA_FILE`);
  const certificate = read(`${TLS}CERT_FILE`);
  const key = read(`${TLS}KEY_FILE`);
  if (!authority && !checks) {
    throw new InvalidInputError(
      `${TLS}CHECK_HOSTNAME${whose} cannot be honoured without ${TLS}CA_FILE: PostgreSQL's ` +
        "programs check names with the system's certificates",
    );
  }
  return {
    ...description,
    parameters: {
      ...description.parameters,
      sslmode: checks ? "verify-full" : "verify-ca",
      sslrootcert: authority || "system",
      ...(certificate && key ? { sslcert: certificate, sslkey: key } : {}),
    },
  };
}

/** What the description leaves out and libpq's variables of the same place say. */
function fillGaps(description: Description, source: Source): Description {
  const { read } = source;
  const user = read("PGUSER");
  const database = read("PGDATABASE");
  const password = read("PGPASSWORD");
  return {
    ...(database ? { database } : {}),
    ...(user ? { username: user } : {}),
    ...(password ? { password } : {}),
    ...description,
    ...addressOf(description, source),
    parameters: { ...mannerVariables(read), ...description.parameters },
  };
}

/**
 * Where the server is, as far as the description leaves it open. The task manager's own variables are
 * its driver's as well; those of a shell must not choose the server.
 *
 * @throws {InvalidInputError} when they would, on a host
 */
function addressOf(
  { endpoints = [{ host: "", port: "" }], parameters, origin }: Description,
  { read, whose, isHere }: Source,
): { endpoints: readonly PostgresEndpoint[] } {
  const host = read("PGHOST");
  const port = read("PGPORT");
  const isOpen = parameters.hostaddr === undefined && endpoints.every((one) => one.host === "");
  const isPortOpen = endpoints.some((one) => one.port === "");
  if (whose !== "") {
    const hosts = isOpen && host ? splitHosts(host) : endpoints;
    return { endpoints: hosts.map((one) => ({ ...one, port: one.port || (port ?? "") })) };
  }
  if (!isHere) return { endpoints };
  for (const [name, isTaken] of [["PGHOST", isOpen && host], ["PGPORT", isPortOpen && port]]) {
    if (!isTaken || (name === "PGPORT" && port === "5432")) continue;
    throw new InvalidInputError(
      `${origin} names no ${
        name === "PGHOST" ? "host" : "port"
      }, and ${name} must not choose the ` +
        `server: name it in the URL, or unset ${name}`,
    );
  }
  return { endpoints };
}

function splitHosts(hosts: string): PostgresEndpoint[] {
  return hosts.split(",").map((host) => ({ host, port: "" }));
}

/** Where nothing but libpq's variables describes a server. */
async function describeByLibpq(source: Source): Promise<Description | undefined> {
  const said = Object.entries(ADDRESS_VARIABLES).flatMap(([name, keyword]): [string, string][] => {
    const value = source.read(name);
    return value ? [[keyword, value]] : [];
  });
  const origin = Object.entries(ADDRESS_VARIABLES).filter(([name]) => source.read(name))
    .map(([name]) => name).filter((name) => name !== "PGPASSWORD").join(", ");
  if (origin === "") return undefined;
  const described = naming(origin, () => ({ ...combinePairs(said), origin }));
  const whole = await resolveService(described, source);
  return { ...whole, parameters: { ...mannerVariables(source.read), ...whole.parameters } };
}

function mannerVariables(read: ReadVariable): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, keyword] of Object.entries(MANNER_VARIABLES)) {
    const value = read(name);
    if (value) found[keyword] = value;
  }
  return found;
}

/** What a section of the service file says where the description says nothing. */
async function resolveService(
  description: Description,
  { read, isHere }: Source,
): Promise<Description> {
  const { service, servicefile, ...rest } = description;
  const { origin } = description;
  if (service === undefined) return rest;
  if (!isHere) {
    throw new InvalidInputError(
      `${origin} names the service ${service}, whose file cannot be read from here; name the ` +
        "server itself in PREFECT_API_DATABASE_CONNECTION_URL",
    );
  }
  const home = read("HOME");
  const file = servicefile ?? read("PGSERVICEFILE");
  const system = read("PGSYSCONFDIR") || "/etc/postgresql-common";
  const paths = file
    ? [file]
    : [...(home ? [`${home}/.pg_service.conf`] : []), `${system}/pg_service.conf`];
  let section: ConnectionParts;
  try {
    section = combinePairs([...await readService(service, paths)]);
  } catch (error) {
    throw new InvalidInputError(`${origin}: ${messageOf(error)}`, { cause: error });
  }
  return {
    ...section,
    ...rest,
    parameters: { ...section.parameters, ...description.parameters },
    endpoints: mergeEndpoints(rest.endpoints, section.endpoints),
    origin: `${origin}, service ${service}`,
  };
}

/** The host of one and the port of another, as libpq, which looks at each alone. */
function mergeEndpoints(
  said: readonly PostgresEndpoint[] | undefined,
  inFile: readonly PostgresEndpoint[] | undefined,
): readonly PostgresEndpoint[] {
  if (said === undefined) return inFile ?? [{ host: "", port: "" }];
  const [first] = inFile ?? [];
  return said.map(({ host, port }) => ({
    host: host || (first?.host ?? ""),
    port: port || (first?.port ?? ""),
  }));
}

function settingName(read: ReadVariable, setting: string): string | undefined {
  return PREFIXES.map((prefix) => prefix + setting).find((name) => read(name));
}

/** @throws {InvalidInputError} what `action` throws, with the variable's name in front */
function naming<Value>(origin: string, action: () => Value): Value {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new InvalidInputError(`${origin} ${error.message}`, { cause: error });
  }
}
