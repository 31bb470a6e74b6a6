import { resolve } from "node:path";
import { messageOf } from "../../errors/mod.ts";
import { syncDirectory } from "../../files/mod.ts";
import {
  CorruptionError,
  ObjectNotFoundError,
  openStore,
  S3Store,
  type Store,
  StoreError,
} from "../../kloset/mod.ts";
import { configuredEndpoint, parseS3Location, S3Bucket, type S3Settings } from "../../s3/mod.ts";

/** What a check of a store has found. */
export interface StoreFinding {
  /** What was checked, in a few words. */
  readonly check: string;
  /** `warning`: backups are safe, and something is less convenient. */
  readonly verdict: "ok" | "warning" | "failed";
  /** What was seen. */
  readonly detail: string;
}

/** A place beside, or below, a repository's that is tried out and removed. */
export interface StoreSandbox {
  /** A client of it; each call gives another one. */
  open(): Store;
  /** Removes everything in it. */
  remove(): Promise<void>;
  /** Where it is a folder: its path. */
  readonly folder?: string;
}

/** More than an S3 service lists in one answer. */
const LISTED_OBJECTS = 1_100;
const LARGE_BYTES = 12 * 1024 * 1024;
const CLIENTS = 16;

/** Locks are told fresh from stale by clocks; minutes apart they still are. */
const CLOCK_WARNING_MS = 60_000;
const CLOCK_FAILURE_MS = 300_000;

/**
 * A sandbox for the store that a location names; the repository itself is not touched.
 *
 * @throws {UnsupportedLocationError} the location cannot be used
 */
export function sandboxOf(location: string, s3: S3Settings = {}): StoreSandbox {
  const name = `validate-${crypto.randomUUID()}`;
  if (!location.startsWith("s3://")) {
    const { location: whole } = openStore(location);
    const path = `${resolve(whole.slice("fs://".length))}.${name}`;
    return {
      open: () => openStore(path),
      folder: path,
      remove: async () => {
        await Deno.remove(path, { recursive: true }).catch((error) => {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        });
      },
    };
  }
  const below = `${location.replace(/\/+$/, "")}/${name}`;
  const warned = new Set<string>();
  // Many clients meet the same.
  const onWarning = (message: string) => {
    if (!warned.has(message)) s3.onWarning?.(message);
    warned.add(message);
  };
  return {
    open: () => new S3Store(below, { ...s3, onWarning }),
    remove: async () => {
      const address = parseS3Location(below, configuredEndpoint(s3));
      const bucket = new S3Bucket(address, s3);
      const keys: string[] = [];
      for await (const { key } of bucket.objects.list("Cannot clean up", address.prefix)) {
        keys.push(key);
      }
      await inParallel(keys, (key) => bucket.objects.delete("Cannot clean up", key));
    },
  };
}

/**
 * Tries out what repositories rely on. Goes on after a failure as far as that makes sense.
 *
 * @example A directory of this host
 * ```ts
 * import { sandboxOf, validateStore } from "./mod.ts";
 * import { assert } from "@std/assert";
 *
 * const sandbox = sandboxOf(`${await Deno.makeTempDir()}/repository`);
 * for await (const { verdict, detail } of validateStore(sandbox)) assert(verdict === "ok", detail);
 * ```
 */
export async function* validateStore(
  sandbox: StoreSandbox,
  options: { readonly signal?: AbortSignal; readonly now?: () => number } = {},
): AsyncGenerator<StoreFinding> {
  const store = sandbox.open();
  const { folder } = sandbox;
  const checks: Check[] = [
    ["create", () => checkCreation(sandbox)],
    ...(folder === undefined ? [] : [folderSyncCheck(folder)]),
    ["read after write", () => checkReadAfterWrite(store, sandbox.open())],
    ["ranges", () => checkRanges(store)],
    ["write once", () => checkWriteOnce(store)],
    ["lock refresh", () => checkLockRefresh(store, sandbox.open())],
    ["listing", () => checkListing(store, sandbox.open())],
    ["concurrency", () => checkConcurrency(sandbox)],
    ["clock", () => checkClock(store, options.now ?? Date.now)],
    ["delete", () => checkDeletion(store, sandbox.open())],
  ];
  let hasFailed = false;
  try {
    for (const [check, run] of checks) {
      options.signal?.throwIfAborted();
      try {
        const seen = await run();
        yield seen instanceof Warning
          ? { check, verdict: "warning", detail: seen.text }
          : { check, verdict: "ok", detail: seen };
      } catch (error) {
        hasFailed = true;
        yield { check, verdict: "failed", detail: messageOf(error) };
        // Without a place to write to, nothing else can be tried.
        if (check === "create") return;
      }
    }
  } finally {
    const problem = await sandbox.remove().then(() => undefined, messageOf);
    if (problem !== undefined && !hasFailed) {
      yield {
        check: "clean up",
        verdict: "warning",
        detail: `what was tried out is still at ${store.location}: ${problem}`,
      };
    }
  }
}

/** Name of a check, and what it does. */
type Check = [name: string, run: () => Promise<string | Warning>];

class Warning {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const LARGE_ID = "1a".repeat(32);
const STATE_ID = "2b".repeat(32);
const LOCK_ID = "3c".repeat(32);

async function checkCreation(sandbox: StoreSandbox): Promise<string | Warning> {
  const stores = Array.from({ length: 4 }, () => sandbox.open());
  const presence = await stores[0]!.presence();
  if (presence !== "absent") throw new StoreError(`a new location is not empty: ${presence}`);
  const results = await Promise.allSettled(
    stores.map((store, index) => store.create(new Uint8Array([index]))),
  );
  const created = results.filter(({ status }) => status === "fulfilled").length;
  if (created === 0) {
    const [first] = results;
    throw first?.status === "rejected" ? first.reason : new StoreError("nothing was created");
  }
  if (created > 1) {
    return new Warning(
      `${created} of ${stores.length} clients created a repository at the same time: let a first ` +
        "backup be alone",
    );
  }
  return `one of ${stores.length} clients created the repository, the others were told so`;
}

function folderSyncCheck(folder: string): Check {
  return [
    "folder sync",
    async () =>
      await syncDirectory(folder)
        ? "names of files are on the disk before a backup counts as made"
        : new Warning(
          "folders cannot be synced there: a power cut on the side of the disk may lose what was " +
            "written last before it, up to a whole backup that counted as made",
        ),
  ];
}

async function checkReadAfterWrite(store: Store, other: Store): Promise<string> {
  const bytes = pattern(LARGE_BYTES);
  const writer = await store.openWriter("packfile", LARGE_ID);
  try {
    for (let at = 0; at < bytes.length; at += 1_000_003) {
      await writer.write(bytes.subarray(at, at + 1_000_003));
    }
    if ((await other.list("packfile")).includes(LARGE_ID)) {
      throw new StoreError("an object that is being written is listed");
    }
    await writer.close();
  } finally {
    await writer.abort();
  }
  if (!(await other.list("packfile")).includes(LARGE_ID)) {
    throw new StoreError("an object that was just written is not listed");
  }
  requireEqual(await other.readAll("packfile", LARGE_ID), bytes);
  const size = await other.size("packfile", LARGE_ID);
  if (size !== bytes.length) throw new StoreError(`the size is said to be ${size}`);
  return `${LARGE_BYTES >> 20} MiB written in parts are listed and read at once by another client`;
}

async function checkRanges(store: Store): Promise<string> {
  const bytes = pattern(LARGE_BYTES);
  let count = 0;
  for (const offset of [0, 1, 4096, 5_242_879, LARGE_BYTES - 70_000, LARGE_BYTES - 1]) {
    for (const length of [1, 65_536]) {
      const end = Math.min(offset + length, LARGE_BYTES);
      const target = new Uint8Array(end - offset);
      await store.read("packfile", LARGE_ID, offset, target);
      requireEqual(target, bytes.subarray(offset, end));
      count++;
    }
  }
  const behind = new Uint8Array(10);
  const failure = await store.read("packfile", LARGE_ID, LARGE_BYTES - 5, behind).then(
    () => undefined,
    (error) => error,
  );
  if (!(failure instanceof CorruptionError)) {
    throw new StoreError("a range that goes beyond the end is not told");
  }
  return `${count} ranges read as they were written, and one beyond the end told`;
}

async function checkWriteOnce(store: Store): Promise<string | Warning> {
  await store.put("state", STATE_ID, pattern(100));
  await store.put("state", STATE_ID, pattern(100)).catch((error) => {
    throw new StoreError(`writing the same once more fails: ${messageOf(error)}`, { cause: error });
  });
  const refused = await store.put("state", STATE_ID, pattern(50)).then(() => false, () => true);
  const expected = pattern(refused ? 100 : 50);
  requireEqual(await store.readAll("state", STATE_ID), expected);
  // Ids are random: nothing but a fault would write one twice.
  return refused ? "an object cannot be overwritten" : "an object is replaced as a whole";
}

async function checkLockRefresh(store: Store, other: Store): Promise<string> {
  for (let round = 1; round <= 5; round++) {
    await store.put("lock", LOCK_ID, pattern(100 + round));
    requireEqual(await other.readAll("lock", LOCK_ID), pattern(100 + round));
  }
  return "a lock that was refreshed is read as refreshed at once by another client";
}

async function checkListing(store: Store, other: Store): Promise<string> {
  const ids = Array.from({ length: LISTED_OBJECTS }, (_, i) => i.toString(16).padStart(64, "f"));
  await inParallel(ids, (id) => store.put("state", id, pattern(1)));
  const listed = new Set(await other.list("state"));
  const missing = ids.filter((id) => !listed.has(id));
  if (missing.length > 0) {
    throw new StoreError(`${missing.length} of ${ids.length} objects are not listed`);
  }
  return `${ids.length} objects are all listed`;
}

async function checkConcurrency(sandbox: StoreSandbox): Promise<string> {
  const bytes = pattern(1024 * 1024);
  const ids = Array.from({ length: CLIENTS }, (_, index) => index.toString(16).padStart(64, "e"));
  await Promise.all(ids.map(async (id) => {
    const client = sandbox.open();
    const writer = await client.openWriter("packfile", id);
    try {
      await writer.write(bytes);
      await writer.close();
    } finally {
      await writer.abort();
    }
    requireEqual(await client.readAll("packfile", id), bytes);
  }));
  return `${CLIENTS} clients wrote and read at the same time`;
}

async function checkClock(store: Store, now: () => number): Promise<string | Warning> {
  if (!(store instanceof S3Store)) return "the store is on this host's clock";
  const server = await store.serverTimeMs();
  if (server === undefined) return new Warning("the service does not tell its time");
  const seconds = Math.round((server - now()) / 1000);
  const difference = Math.abs(seconds * 1000);
  const seen = `the service's clock is ${Math.abs(seconds)} s ${seconds < 0 ? "behind" : "ahead"}`;
  if (difference >= CLOCK_FAILURE_MS) throw new StoreError(`${seen}: set this host's clock`);
  return difference >= CLOCK_WARNING_MS ? new Warning(`${seen}: set this host's clock`) : seen;
}

async function checkDeletion(store: Store, other: Store): Promise<string | Warning> {
  try {
    await store.delete("lock", LOCK_ID);
  } catch (error) {
    return new Warning(
      `locks cannot be deleted: they are left behind and turn stale (${messageOf(error)})`,
    );
  }
  const found = await other.readAll("lock", LOCK_ID).then(() => true, (error) => {
    if (error instanceof ObjectNotFoundError) return false;
    throw error;
  });
  if (found || (await other.list("lock")).includes(LOCK_ID)) {
    throw new StoreError("an object that was deleted is still seen");
  }
  return "an object that was deleted is gone at once for another client";
}

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    for (const item of queue) await run(item);
  }));
}

/** Bytes that tell where they are. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i ^ (i >>> 8) ^ (i >>> 16);
  return bytes;
}

function requireEqual(read: Uint8Array, written: Uint8Array): void {
  const isSame = read.length === written.length && read.every((byte, i) => byte === written[i]);
  if (!isSame) throw new StoreError("what is read is not what was written");
}
