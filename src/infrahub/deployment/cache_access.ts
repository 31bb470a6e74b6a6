import { Secret } from "../secret.ts";
import { readServiceVariables, type ReadVariable } from "./credentials.ts";
import type { Deployment } from "./deployment.ts";
import { SERVER } from "./service_names.ts";

/** How to get into Redis, as the services of Infrahub do. */
export interface CacheAccess {
  /** Where it is; undefined when no variable says it. */
  readonly address?: string;
  readonly port?: number;
  /** Number of Infrahub's own database. */
  readonly database: number;
  readonly username?: string;
  readonly password?: Secret;
  /** Undefined without TLS. */
  readonly tls?: { readonly isChecked: boolean; readonly caFile?: string };
  /** What keeps the cache, where that is not Redis. */
  readonly otherDriver?: string;
}

/**
 * Finds how to get into the cache: in the tool's own environment, else in that of the server. One that
 * cannot be asked is no error here: the cache of a deployment that is down usually has no password.
 *
 * @param readVariable the tool's own environment
 */
export async function findCacheAccess(
  deployment: Deployment,
  readVariable: ReadVariable,
): Promise<CacheAccess> {
  const inService = await readServiceVariables(deployment, SERVER, "cache", "debug");
  return readCacheAccess((name) => readVariable(name) || inService?.(name));
}

function readCacheAccess(readVariable: ReadVariable): CacheAccess {
  const read = (name: string) => readVariable(`INFRAHUB_CACHE_${name}`) || undefined;
  const isTrue = (name: string) => /^(1|true|t|yes|y|on)$/i.test(read(name) ?? "");
  const [address, port, username, password, driver] = [
    read("ADDRESS"),
    Number(read("PORT")),
    read("USERNAME"),
    read("PASSWORD"),
    read("DRIVER"),
  ];
  const caFile = read("TLS_CA_FILE");
  return {
    ...(address === undefined ? {} : { address }),
    ...(port > 0 ? { port } : {}),
    database: Number(read("DATABASE")) || 0,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: new Secret(password) }),
    ...(isTrue("TLS_ENABLED")
      ? {
        tls: {
          isChecked: !isTrue("TLS_INSECURE"),
          // The setting may also be the certificate itself, which `redis-cli` does not take.
          ...(caFile === undefined || caFile.includes("\n") ? {} : { caFile }),
        },
      }
      : {}),
    ...(driver === undefined || /^redis$/i.test(driver) ? {} : { otherDriver: driver }),
  };
}
