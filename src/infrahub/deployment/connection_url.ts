import { messageOf } from "../../errors/mod.ts";
import { InvalidInputError } from "../errors.ts";

/** The parts of a PostgreSQL connection that are of use here; undefined where nothing is said. */
export interface ConnectionParts {
  readonly database?: string;
  readonly username?: string;
  readonly password?: string;
  readonly host?: string;
  readonly port?: string;
}

/**
 * Reads a connection URL as libpq does: any `postgres…://` (SQLAlchemy names its driver there,
 * `postgresql+asyncpg://`), percent-encoded parts, parameters after `?`, or `key=value` pairs.
 *
 * @throws {InvalidInputError} when it is neither; the message does not repeat the text, which may
 * hold a password
 */
export function parseConnectionUrl(text: string): ConnectionParts {
  const url = /^postgres[^:/?#\s]*:\/\/(.*)$/s.exec(text.trim());
  return url ? parseUrl(url[1] ?? "") : parseKeyValues(text);
}

function parseUrl(rest: string): ConnectionParts {
  const { before: address, after: query } = cut(rest, "?");
  const slash = address.indexOf("/");
  const authority = slash < 0 ? address : address.slice(0, slash);
  // The last one: a password may hold another, though it should be encoded.
  const at = authority.lastIndexOf("@");
  const { before: user, after: password } = cut(at < 0 ? "" : authority.slice(0, at), ":");
  // There may be several servers, as in libpq.
  const servers = authority.slice(at + 1).split(",").map((server) =>
    /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(server) ?? []
  );
  const ports = servers.map(([, , , port = ""]) => port).join(",");
  const parts: Record<string, string> = {
    user: decode(user),
    password: decode(password),
    host: decode(servers.map(([, bracketed, bare = ""]) => bracketed ?? bare).join(",")),
    port: /\d/.test(ports) ? decode(ports) : "",
    dbname: slash < 0 ? "" : decode(address.slice(slash + 1)),
  };
  for (const pair of query.split("&").filter((text) => text !== "")) {
    const { before: key, after: value } = cut(pair, "=");
    parts[decode(key)] = decode(value);
  }
  return pick(parts);
}

function parseKeyValues(text: string): ConnectionParts {
  const parts: Record<string, string> = {};
  const pair = /\s*([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/gsy;
  let end = 0;
  for (let match = pair.exec(text); match !== null; match = pair.exec(text)) {
    const [, key = "", quoted, bare = ""] = match;
    parts[key] = (quoted ?? bare).replace(/\\(.)/gs, "$1");
    end = pair.lastIndex;
  }
  if (end === 0 || text.slice(end).trim() !== "") {
    throw new InvalidInputError("neither a postgres:// URL nor key=value pairs");
  }
  return pick(parts);
}

function pick(parts: Record<string, string>): ConnectionParts {
  const { user, password, host, port } = parts;
  const database = parts.dbname || parts.database;
  return {
    ...(database ? { database } : {}),
    ...(user ? { username: user } : {}),
    ...(password ? { password } : {}),
    ...(host ? { host } : {}),
    ...(port ? { port } : {}),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new InvalidInputError(`invalid percent-encoding: ${messageOf(error)}`, { cause: error });
  }
}

function cut(text: string, separator: string): { before: string; after: string } {
  const at = text.indexOf(separator);
  return at < 0
    ? { before: text, after: "" }
    : { before: text.slice(0, at), after: text.slice(at + separator.length) };
}
