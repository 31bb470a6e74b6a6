import { setTimeout } from "node:timers/promises";
import { messageOf } from "../../errors/mod.ts";
import { CorruptionError, LockedError, ObjectNotFoundError } from "../errors.ts";
import {
  decodeLock,
  FormatError,
  type Lock,
  openEnvelope,
  ResourceType,
  VERSION_1_0_0,
} from "../format/mod.ts";
import type { Store } from "../store/mod.ts";
import { type Codec, type MacFunction, rereadOnDamage } from "../unit/mod.ts";

/** Age from which a lock counts as left behind by a program that has ended. */
export const LOCK_STALE_MS = 10 * 60 * 1000;

export const NS_PER_MS = 1_000_000n;

/** Where the locks of a repository are, and how they are read. */
export interface LockPlace {
  readonly store: Store;
  readonly codec: Codec;
  readonly mac: MacFunction;
}

/** A lock that lies in a repository. */
export interface FoundLock {
  /** 64 hex digits. */
  readonly id: string;
  /** Whose it says it is; empty where it does not, or cannot be read. */
  readonly hostname: string;
  /** When it was last renewed; undefined where it cannot be read. */
  readonly renewedAt: Date | undefined;
  /** Whether it is a maintenance's; undefined where it cannot be read. */
  readonly exclusive: boolean | undefined;
  /** Whether it counts: one that is stale was left behind. One that cannot be read counts. */
  readonly isStale: boolean;
}

/**
 * Reads a lock.
 *
 * @returns undefined where it has vanished since it was listed
 * @throws {CorruptionError} it cannot be understood
 * @throws {StoreError} the store failed
 */
export async function readLock(
  { store, codec, mac }: LockPlace,
  id: string,
): Promise<Lock | undefined> {
  const unreadable = (problem: string) =>
    new CorruptionError(
      `Cannot read lock ${id} of repository "${store.location}": ${problem}; remove it with ` +
        '"repo unlock --force" if no maintenance is running',
    );
  try {
    return await rereadOnDamage(async () => {
      const bytes = await store.readAll("lock", id);
      const { payload } = openEnvelope(bytes, ResourceType.LOCK, VERSION_1_0_0, mac.of);
      return decodeLock(codec.decode(payload));
    }, unreadable);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    if (error instanceof FormatError) throw unreadable(messageOf(error));
    throw error;
  }
}

/** Milliseconds since a lock was last renewed; negative for one of a clock that is ahead. */
export function ageOf({ timestampNs }: Pick<Lock, "timestampNs">, nowMs: number): number {
  return nowMs - Number(timestampNs / NS_PER_MS);
}

/**
 * All locks of a repository, in the order of their ids.
 *
 * @throws {StoreError} the store failed
 */
export async function findLocks(
  place: LockPlace & { readonly now: () => number },
): Promise<FoundLock[]> {
  const found: FoundLock[] = [];
  for (const id of (await place.store.list("lock")).sort()) {
    try {
      const lock = await readLock(place, id);
      if (lock === undefined) continue;
      found.push({
        id,
        hostname: lock.hostname,
        renewedAt: new Date(Number(lock.timestampNs / NS_PER_MS)),
        exclusive: lock.exclusive,
        isStale: ageOf(lock, place.now()) >= LOCK_STALE_MS,
      });
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      found.push({
        id,
        hostname: "",
        renewedAt: undefined,
        exclusive: undefined,
        isStale: false,
      });
    }
  }
  return found;
}

/** Time between two looks at a lock that is waited for. */
const POLL_MS = 5_000;

/** How it is waited that nobody holds an exclusive lock. */
export interface LockPatience {
  /** Milliseconds; 0: not at all. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Told once when it is waited: for whom, and since when. */
  readonly onWait: (message: string) => void;
}

/**
 * Waits until nobody holds an exclusive lock. One may be taken right afterwards: whoever writes takes a
 * lock of its own and looks again.
 *
 * @throws {LockedError} somebody still holds one
 * @throws {CorruptionError} a lock cannot be understood, so that nobody knows what it forbids
 * @throws {StoreError} the store failed
 * @throws the signal's reason
 */
export async function waitForExclusiveLocks(
  place: LockPlace & { readonly now: () => number },
  { patienceMs, signal, onWait }: LockPatience,
): Promise<void> {
  const untilMs = place.now() + patienceMs;
  for (let hasTold = false;;) {
    signal?.throwIfAborted();
    const obstacle = await exclusiveLock(place);
    if (obstacle === undefined) return;
    const leftMs = untilMs - place.now();
    if (leftMs <= 0) throw obstacle;
    if (!hasTold) onWait(`${obstacle.message}. Waiting until it goes`);
    hasTold = true;
    // Where it ends early, the next look throws the signal's reason.
    await setTimeout(Math.min(POLL_MS, leftMs), undefined, { signal }).catch(() => {});
  }
}

/** Why nothing may be written, where somebody holds an exclusive lock. */
async function exclusiveLock(
  place: LockPlace & { readonly now: () => number },
): Promise<LockedError | undefined> {
  for (const id of await place.store.list("lock")) {
    const lock = await readLock(place, id);
    if (lock === undefined || !lock.exclusive) continue;
    const ageMs = ageOf(lock, place.now());
    if (ageMs < LOCK_STALE_MS) return lockedBy(place.store.location, lock, ageMs);
  }
  return undefined;
}

/** An error that says who keeps others from writing, and since when. */
export function lockedBy(location: string, lock: Lock, ageMs: number): LockedError {
  return new LockedError(
    `Cannot write to repository "${location}": ${lock.hostname || "another host"} holds an ` +
      `exclusive lock (maintenance) since ` +
      `${new Date(Number(lock.timestampNs / NS_PER_MS)).toISOString()}` + aboutClocks(ageMs),
  );
}

/** Clocks of hosts that are kept by the network are closer to each other than this. */
const CLOCK_TOLERANCE_MS = 60_000;

/** A lock of tomorrow would turn stale tomorrow: whoever waits for it has to know why. */
function aboutClocks(ageMs: number): string {
  if (ageMs > -CLOCK_TOLERANCE_MS) return "";
  const minutes = Math.round(-ageMs / 60_000);
  return `, which is ${minutes} min in the future: compare the clocks of this host and that one; ` +
    'where no maintenance is running, "repo unlock --force" removes the lock';
}
