import { InvalidInputError } from "../errors.ts";
import { type Parameters, readParameters } from "./_parameters.ts";
import { isSocketFolder, type PostgresEndpoint } from "./server.ts";

/** What a connection URL says of a server; undefined where it says nothing. */
export interface ConnectionParts {
  readonly endpoints?: readonly PostgresEndpoint[];
  readonly database?: string;
  readonly username?: string;
  readonly password?: string;
  readonly parameters: Parameters;
  /** A section of libpq's service file, which may say all of the above. */
  readonly service?: string;
  readonly servicefile?: string;
}

/** A text taken apart by one of the grammars; the values are decoded. */
interface Pieces {
  readonly user: string;
  readonly password: string;
  readonly hosts: readonly PostgresEndpoint[];
  readonly database: string;
  readonly query: ReadonlyMap<string, readonly string[]>;
  /** What follows the credentials, as it was given. */
  readonly rest: string;
}

const ENCODE = "write / ? # @ : % in a password as %2F %3F %23 %40 %3A %25";
const UNREADABLE = `cannot be read as the address of a PostgreSQL server (${ENCODE})`;

/**
 * Reads what describes a PostgreSQL server: a URL by SQLAlchemy's grammar or libpq's, or libpq's
 * `key=value` pairs.
 *
 * A URL that names a driver (`postgresql+asyncpg://`) is SQLAlchemy's, which takes most characters of
 * a password unencoded; one without is libpq's. Where the proper grammar cannot read it, the other one
 * is tried; a text that both read, each as another server, is refused.
 *
 * @throws {InvalidInputError} when it is none of these, or of another database system, or cannot be
 * honoured; the message repeats no part that may be of a password
 */
export function parseConnectionUrl(text: string): ConnectionParts {
  const trimmed = text.trim();
  const scheme = /^([\w+.-]+):\/\//.exec(trimmed)?.[1];
  if (scheme === undefined) return fromKeyValues(trimmed);
  if (!/^postgres(ql)?(\+\w+)?$/.test(scheme)) {
    throw new InvalidInputError(`names another database system (${scheme}), not PostgreSQL`);
  }
  const address = trimmed.slice(scheme.length + 3);
  const ofSqlAlchemy = readBySqlAlchemy(address);
  const ofLibpq = readByLibpq(address);
  const isOfSqlAlchemy = scheme.includes("+");
  if (
    !isOfSqlAlchemy && ofSqlAlchemy !== undefined && ofLibpq !== undefined &&
    !isSame(ofSqlAlchemy, ofLibpq)
  ) {
    throw new InvalidInputError(`can be read as two different servers (${ENCODE})`);
  }
  // An "@" further on: what stands before it may all be of a password.
  const [first, second] = (isOfSqlAlchemy ? [ofSqlAlchemy, ofLibpq] : [ofLibpq, ofSqlAlchemy])
    .filter((pieces) => pieces !== undefined && !pieces.rest.includes("@"));
  return combine(first ?? second ?? unreadable());
}

function unreadable(): never {
  throw new InvalidInputError(UNREADABLE);
}

/** Whether two readings mean the same server and role; what they make of `%` and `+` may differ. */
function isSame(a: Pieces, b: Pieces): boolean {
  const key = ({ user, password, hosts, query }: Pieces) =>
    JSON.stringify([user, password, hosts, query.get("host"), query.get("port")]);
  return key(a) === key(b);
}

/** `make_url` of SQLAlchemy 2: the password goes to the first `@`, whatever is in it. */
function readBySqlAlchemy(address: string): Pieces | undefined {
  const match =
    /^(?:([^:/]*)(?::([^@]*))?@)?((?:(?:\[([^/?]+)\]|([^/:?]+))?(?::([^/?]*))?)?(?:\/([^?]*))?(?:\?(.*))?)$/
      .exec(address);
  if (match === null) return undefined;
  // Several hosts in one are libpq's; SQLAlchemy would look for one of that name.
  if (match[5]?.includes(",")) return undefined;
  const [
    ,
    user = "",
    password = "",
    rest = "",
    bracketed,
    bare,
    port = "",
    database = "",
    query = "",
  ] = match;
  const endpoint = toEndpoint(bracketed ?? unquote(bare ?? ""), port);
  if (endpoint === undefined) return undefined;
  const pairs = query.split("&").flatMap((pair): [string, string][] => {
    const [name, ...value] = pair.replaceAll("+", " ").split("=");
    // As Python's parse_qsl: what has no value is passed over.
    return name && value.join("=") !== "" ? [[unquote(name), unquote(value.join("="))]] : [];
  });
  return {
    user: unquote(user),
    password: unquote(password),
    // Nobody's host: only the port may be said here, and the host among the parameters.
    hosts: endpoint.host === "" && endpoint.port === "" ? [] : [endpoint],
    database,
    query: collect(pairs),
    rest,
  };
}

/** `conninfo_uri_parse_options` of libpq: credentials end at the first `/` or `@`. */
function readByLibpq(address: string): Pieces | undefined {
  const [, credentials, rest = ""] = /^(?:([^@/]*)@)?(.*)$/.exec(address) ?? [];
  const match = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(rest);
  if (match === null) return undefined;
  const [, servers = "", database = "", query = ""] = match;
  const [, user = "", password = ""] = /^([^:]*)(?::(.*))?$/.exec(credentials ?? "") ?? [];
  const hosts: PostgresEndpoint[] = [];
  for (const server of servers === "" ? [] : servers.split(",")) {
    const parts = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(.*))?$/.exec(server);
    const host = parts?.[1] ?? decode(parts?.[2] ?? "");
    const endpoint = parts && host !== undefined && toEndpoint(host, parts[3] ?? "");
    if (!endpoint) return undefined;
    hosts.push(endpoint);
  }
  const pairs: [string, string][] = [];
  for (const pair of query === "" ? [] : query.split("&")) {
    const at = pair.indexOf("=");
    const name = decode(pair.slice(0, at));
    const value = decode(pair.slice(at + 1));
    if (at < 1 || name === undefined || value === undefined || pair.includes("=", at + 1)) {
      return undefined;
    }
    pairs.push([name, value]);
  }
  const decoded = [user, password, database].map(decode);
  const [decodedUser, decodedPassword, decodedDatabase] = decoded;
  if (
    decodedUser === undefined || decodedPassword === undefined || decodedDatabase === undefined
  ) {
    return undefined;
  }
  return {
    user: decodedUser,
    password: decodedPassword,
    hosts,
    database: decodedDatabase,
    query: collect(pairs),
    rest,
  };
}

/** libpq's other spelling, which no URL grammar knows. */
function fromKeyValues(text: string): ConnectionParts {
  const pairs: [string, string][] = [];
  const pair = /\s*([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/gsy;
  let end = 0;
  for (let match = pair.exec(text); match !== null; match = pair.exec(text)) {
    const [, name = "", quoted, bare = ""] = match;
    pairs.push([name, (quoted ?? bare).replace(/\\(.)/gs, "$1")]);
    end = pair.lastIndex;
  }
  if (end === 0 || text.slice(end).trim() !== "") {
    throw new InvalidInputError("is neither a postgresql:// URL nor key=value pairs");
  }
  return combinePairs(pairs);
}

/**
 * What libpq's keywords with their values say.
 *
 * @throws {InvalidInputError} as {@linkcode parseConnectionUrl}
 */
export function combinePairs(pairs: readonly (readonly [string, string])[]): ConnectionParts {
  return combine({
    user: "",
    password: "",
    hosts: [],
    database: "",
    query: collect(pairs),
    rest: "",
  });
}

/** What stands after the `?` comes before what stands in front of it, as for both of them. */
function combine({ user, password, hosts, database, query }: Pieces): ConnectionParts {
  const given = new Map<string, string>();
  for (const [name, values] of query) {
    if (values.length > 1 && name !== "host" && name !== "port") {
      throw new InvalidInputError(
        /^[a-z_]{1,40}$/.test(name) ? `gives ${name} twice` : "gives a parameter twice",
      );
    }
    given.set(name, values.at(-1) ?? "");
  }
  const endpoints = endpointsOf(hosts, query);
  const said = {
    database: given.get("dbname") || given.get("database") || database,
    username: given.get("user") || user,
    password: given.get("password") || password,
    service: given.get("service"),
    servicefile: given.get("servicefile"),
  };
  for (const text of [said.username, said.password, said.database]) {
    // What is no UTF-8 cannot be handed on as it was meant; a NUL or line break not at all.
    if (/[\uFFFD\0\n\r]/.test(text)) {
      throw new InvalidInputError(`has a character that cannot be handed on (${ENCODE})`);
    }
  }
  return {
    ...(endpoints.length === 0 ? {} : { endpoints }),
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value)),
    parameters: readParameters(given),
  };
}

/**
 * Several hosts: `h1,h2` with none, one or as many ports, or SQLAlchemy's `host=h1:1&host=h2:2`.
 *
 * @throws {InvalidInputError} when they do not go together
 */
function endpointsOf(
  hosts: readonly PostgresEndpoint[],
  query: Pieces["query"],
): readonly PostgresEndpoint[] {
  const named = query.get("host")?.filter((value) => value !== "") ?? [];
  const ports = (query.get("port") ?? []).flatMap((value) => value === "" ? [] : value.split(","));
  const inline = named.length > 1 || (named.length === 1 && ports.length === 0);
  const folders = named.flatMap((value) => value.split(","));
  const list = folders.length > 0
    ? folders.map((value) => inline ? splitPort(value) : { host: value, port: "" })
    : hosts.length > 0
    ? hosts
    : ports.length > 0
    ? [{ host: "", port: "" }]
    : [];
  // The port in front belongs to a host that stands behind, unless that has one of its own.
  const [first] = hosts;
  const fallback = folders.length > 0 && hosts.length === 1 ? first?.port ?? "" : "";
  if (ports.length > 1 && ports.length !== list.length) {
    throw new InvalidInputError(`names ${list.length} hosts and ${ports.length} ports`);
  }
  return list.map(({ host, port }, index) => {
    const endpoint = toEndpoint(
      host,
      (ports.length > 1 ? ports[index] : ports[0]) || port || fallback,
    );
    if (endpoint === undefined) throw new InvalidInputError(UNREADABLE);
    return endpoint;
  });
}

function splitPort(text: string): PostgresEndpoint {
  const match = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+)):(\d*)$/.exec(text);
  return match === null
    ? { host: /^\[(.*)\]$/.exec(text)?.[1] ?? text, port: "" }
    : { host: match[1] ?? match[2] ?? "", port: match[3] ?? "" };
}

/** Undefined for what can be none: a piece of a password, most likely. */
function toEndpoint(host: string, port: string): PostgresEndpoint | undefined {
  if (port !== "" && (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)) {
    return undefined;
  }
  const isFolder = isSocketFolder(host) && !/[\0\n\r\uFFFD]/.test(host);
  if (!isFolder && !/^[\p{L}\p{N}._:%-]*$/u.test(host)) return undefined;
  return { host, port };
}

function collect(pairs: readonly (readonly [string, string])[]): Map<string, string[]> {
  const collected = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    collected.set(name, [...collected.get(name) ?? [], value]);
  }
  return collected;
}

/** Percent-decoding as Python does it: what is no encoding stays as it is. */
function unquote(text: string): string {
  return text.replace(
    /(?:%[0-9A-Fa-f]{2})+/g,
    (run) =>
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(
        Uint8Array.from(run.slice(1).split("%"), (digits) => parseInt(digits, 16)),
      ),
  );
}

/** Percent-decoding as libpq does it; undefined where it complains. */
function decode(text: string): string | undefined {
  return /%(?![0-9A-Fa-f]{2})|%00/.test(text) ? undefined : unquote(text);
}
