import { InvalidInputError } from "../errors.ts";

/** Parts of a description that are not a server's address, by libpq's keywords. */
export type Parameters = Readonly<Record<string, string>>;

/** Keywords of libpq that are handed on as they are. */
const KEYWORDS: ReadonlySet<string> = new Set([
  "application_name",
  "channel_binding",
  "connect_timeout",
  "fallback_application_name",
  "gssdelegation",
  "gssencmode",
  "gsslib",
  "hostaddr",
  "keepalives",
  "keepalives_count",
  "keepalives_idle",
  "keepalives_interval",
  "krbsrvname",
  "load_balance_hosts",
  "max_protocol_version",
  "min_protocol_version",
  "options",
  "passfile",
  "require_auth",
  "requirepeer",
  "ssl_max_protocol_version",
  "ssl_min_protocol_version",
  "sslcert",
  "sslcertmode",
  "sslcompression",
  "sslcrl",
  "sslcrldir",
  "sslkey",
  "sslmode",
  "sslnegotiation",
  "sslrootcert",
  "sslsni",
  "target_session_attrs",
  "tcp_user_timeout",
]);

/** What drivers of Python understand and what changes neither the server nor the way to it. */
const OF_DRIVERS: ReadonlySet<string> = new Set([
  "async_fallback",
  // The encoding of a dump is its own business.
  "client_encoding",
  "command_timeout",
  "default_transaction_isolation",
  "max_cacheable_statement_size",
  "max_cached_statement_lifetime",
  "prepared_statement_cache_size",
  "prepared_statement_name_func",
  "statement_cache_size",
  "timeout",
]);

/** They name the server, the role or the database, and are read by whoever calls. */
const OF_ADDRESS: ReadonlySet<string> = new Set([
  "database",
  "dbname",
  "host",
  "password",
  "port",
  "service",
  "servicefile",
  "user",
]);

const SSL_MODES: readonly string[] = [
  "disable",
  "allow",
  "prefer",
  "require",
  "verify-ca",
  "verify-full",
];

/**
 * The parameters of libpq among others, asyncpg's spellings translated.
 *
 * @throws {InvalidInputError} naming what cannot be honoured; no value is shown
 */
export function readParameters(given: ReadonlyMap<string, string>): Parameters {
  const parameters: Record<string, string> = {};
  for (const [name, value] of given) {
    if (OF_ADDRESS.has(name) || OF_DRIVERS.has(name) || value === "") continue;
    if (name === "ssl") {
      const mode = value === "true" ? "require" : value;
      if (!SSL_MODES.includes(mode)) {
        throw new InvalidInputError(`ssl has to be one of ${SSL_MODES.join(", ")}`);
      }
      const other = given.get("sslmode");
      if (other !== undefined && other !== "" && other !== mode) {
        throw new InvalidInputError("ssl and sslmode contradict each other");
      }
      parameters.sslmode = mode;
    } else if (name === "direct_tls") {
      if (/^(true|1|yes|on)$/i.test(value)) parameters.sslnegotiation = "direct";
    } else if (KEYWORDS.has(name)) {
      parameters[name] = value;
    } else {
      // A name that nobody knows may be a piece of a password that was not encoded.
      const shown = /^[a-z_]{1,40}$/.test(name) ? `the parameter ${name}` : "one of its parameters";
      throw new InvalidInputError(`${shown} cannot be honoured here`);
    }
  }
  const mode = parameters.sslmode;
  if (mode !== undefined && !SSL_MODES.includes(mode)) {
    throw new InvalidInputError(`sslmode has to be one of ${SSL_MODES.join(", ")}`);
  }
  return parameters;
}
