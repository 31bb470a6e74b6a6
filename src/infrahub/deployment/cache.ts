import { messageOf } from "../../errors/mod.ts";
import type { CacheAccess } from "./cache_access.ts";
import { type Deployment, DeploymentError } from "./deployment.ts";
import { CACHE } from "./service_names.ts";

/** Milliseconds for one command: it may have to write all of its memory to a disk. */
const TIMEOUT_MS = 300_000;
/** Milliseconds after which a worker that has ended counts as gone: Infrahub's own are 15 s. */
const HEARTBEAT_MS = 16_000;
const INTERVAL_MS = 1_000;

/**
 * Deletes every lock whose value names a worker that has given no sign of life, and answers how many
 * it has deleted, and how many are left of workers that have given one. A lock whose value names no
 * worker is nobody's business here.
 */
const REMOVE_LOCKS = `
local function find(pattern)
  local found, cursor = {}, "0"
  repeat
    local page = redis.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
    cursor = page[1]
    for _, key in ipairs(page[2]) do found[key] = true end
  until cursor == "0"
  return found
end
local alive = {}
for key in pairs(find("workers:active:*")) do
  local worker = string.match(key, ":worker:([^:]+)$")
  if worker then alive[worker] = true end
end
local removed, left = 0, 0
for key in pairs(find("lock.*")) do
  if redis.call("TYPE", key).ok == "string" then
    local worker = string.match(redis.call("GET", key) or "", "::(.+)$")
    if worker and alive[worker] then
      left = left + 1
    elseif worker then
      removed = removed + redis.call("DEL", key)
    end
  end
end
return removed .. " " .. left
`;

/** Something is left in the cache that a restore should have removed; the message says what to do. */
export class CacheNotEmptiedError extends DeploymentError {}

/** Whether the cache can be asked at all: on a host it may be anywhere, and anybody's. */
export function isCacheKnown({ environment }: Deployment, access: CacheAccess): boolean {
  return access.otherDriver === undefined &&
    (environment.kind !== "host" || access.address !== undefined);
}

/** The command with which somebody empties the cache by hand. */
export function flushCommand(deployment: Deployment, access: CacheAccess): string {
  return ["redis-cli", ...connection(deployment, access), ...flush(deployment, access)].join(" ");
}

/**
 * Has Redis forget everything, in its memory and on its disk, and looks whether it has. On a host,
 * where it may serve others as well, it forgets Infrahub's own database alone.
 *
 * The cache must run, and nothing that uses it. Deleting its files would not do: Redis writes its
 * memory to its disk again when it is stopped.
 *
 * @returns how many keys it held
 * @throws {CacheNotEmptiedError} when it has not forgotten all, or it is not known whether it has
 */
export async function emptyCache(deployment: Deployment, access: CacheAccess): Promise<number> {
  const { environment, reporter, signal } = deployment;
  try {
    if (access.otherDriver !== undefined) {
      throw new DeploymentError(`it is kept by ${access.otherDriver}, not by Redis`);
    }
    const isOurs = environment.kind !== "host";
    const count = async () => {
      const keys = parseKeyspace(await ask(deployment, access, ["INFO", "keyspace"]));
      return isOurs ? sum(keys) : keys.get(access.database) ?? 0;
    };
    const before = await count();
    await requireOk(deployment, access, flush(deployment, access));
    try {
      // Of a server that others use as well, the whole would be written while they wait.
      if (isOurs) await requireOk(deployment, access, ["SAVE"]);
      else await ask(deployment, access, ["BGSAVE"]);
    } catch (error) {
      signal.throwIfAborted();
      reporter.warn(
        `The cache is empty, and could not write that to its disk: ${messageOf(error)}`,
      );
    }
    const left = await count();
    if (left > 0) {
      throw new DeploymentError(`${left} keys are in it again: something still uses it`);
    }
    reporter.info(`Emptied the cache: ${before} keys removed, none left`, { keys: before });
    return before;
  } catch (error) {
    signal.throwIfAborted();
    throw new CacheNotEmptiedError(`the cache has not been emptied: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Removes the locks of workers that have ended. A worker that is stopped while it holds one leaves it
 * behind, often without an expiry: whoever needs it later would wait until Infrahub clears it away,
 * a quarter of an hour later at the earliest.
 *
 * The cache must run, and the workers must have been stopped. A failure only warns: Infrahub finds
 * such locks by itself in the end.
 */
export async function removeStaleLocks(deployment: Deployment, access: CacheAccess): Promise<void> {
  const { reporter, clock, signal } = deployment;
  if (!isCacheKnown(deployment, access)) {
    reporter.debug("Locks of stopped workers are left to Infrahub: it is not known where Redis is");
    return;
  }
  const command = ["-n", String(access.database), "EVAL", REMOVE_LOCKS, "0"];
  const end = clock.now() + HEARTBEAT_MS;
  let removed = 0;
  try {
    while (true) {
      const answer = await ask(deployment, access, command);
      const [, now, left] = /^(\d+) (\d+)$/.exec(answer) ?? [];
      if (now === undefined) throw new DeploymentError(`unexpected answer ${quote(answer)}`);
      removed += Number(now);
      if (left === "0") break;
      if (clock.now() >= end) {
        reporter.info(`${left} locks are left in the cache: their workers still run`);
        break;
      }
      // One of a worker that has just been stopped: its last sign of life counts for a while.
      await clock.sleep(INTERVAL_MS, signal);
    }
  } catch (error) {
    signal.throwIfAborted();
    reporter.warn(
      "Could not look for locks that stopped workers have left in the cache; tasks may wait for " +
        `them for a quarter of an hour: ${messageOf(error)}`,
    );
    return;
  }
  if (removed > 0) {
    reporter.info(`Removed ${removed} locks of stopped workers from the cache`, { locks: removed });
  } else reporter.debug("No locks of stopped workers in the cache");
}

function flush({ environment }: Deployment, { database }: CacheAccess): readonly string[] {
  // The task manager, scaled out, has databases of its own there.
  return environment.kind === "host" ? ["-n", String(database), "FLUSHDB"] : ["FLUSHALL"];
}

/** Arguments of `redis-cli` that lead to the server; a password is none of them. */
function connection({ environment }: Deployment, access: CacheAccess): readonly string[] {
  const { address, port, username, tls } = access;
  const isHost = environment.kind === "host";
  return [
    ...(isHost && address !== undefined ? ["-h", address] : []),
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(username === undefined ? [] : ["--user", username]),
    ...(tls === undefined ? [] : ["--tls"]),
    // Within its container the server is at hand, and not under the name in its certificate.
    ...(tls !== undefined && (!isHost || !tls.isChecked) ? ["--insecure"] : []),
    ...(isHost && tls?.isChecked && tls.caFile !== undefined ? ["--cacert", tls.caFile] : []),
  ];
}

async function ask(
  deployment: Deployment,
  access: CacheAccess,
  command: readonly string[],
): Promise<string> {
  const { password } = access;
  const argv = ["redis-cli", ...connection(deployment, access), ...command];
  const output = await deployment.environment.run(CACHE, argv, {
    ...(password === undefined ? {} : { secrets: { REDISCLI_AUTH: password.reveal() } }),
    timeoutMs: TIMEOUT_MS,
    signal: deployment.signal,
  });
  return output.trim();
}

/** `redis-cli` exits with 0 whatever the server has answered. */
async function requireOk(
  deployment: Deployment,
  access: CacheAccess,
  command: readonly string[],
): Promise<void> {
  const answer = await ask(deployment, access, command);
  if (answer !== "OK") throw new DeploymentError(`${command.at(-1)}: ${quote(answer)}`);
}

/** Number of keys by number of the database. @throws {DeploymentError} when it is no such answer */
function parseKeyspace(answer: string): ReadonlyMap<number, number> {
  if (!answer.startsWith("# Keyspace")) throw new DeploymentError(quote(answer));
  const lines = answer.matchAll(/^db(\d+):keys=(\d+)/gm);
  return new Map([...lines].map(([, database, keys]) => [Number(database), Number(keys)]));
}

function sum(keys: ReadonlyMap<number, number>): number {
  return [...keys.values()].reduce((total, count) => total + count, 0);
}

function quote(answer: string): string {
  return `it answers ${JSON.stringify(answer)}`;
}
