import { messageOf } from "../../errors/mod.ts";
import { LockedError, ObjectNotFoundError } from "../errors.ts";
import {
  encodeEnvelope,
  encodeLock,
  type Lock,
  macToHex,
  ResourceType,
  VERSION_1_0_0,
} from "../format/mod.ts";
import {
  ageOf,
  LOCK_STALE_MS,
  lockedBy,
  type LockPlace,
  NS_PER_MS,
  readLock,
} from "./lock_file.ts";

/** How often a lock's timestamp is renewed (format reference, section 11). */
export const LOCK_REFRESH_MS = 5 * 60 * 1000;

/** How often the age of the own lock is looked at: by the wall clock, which goes on in a suspended host. */
export const LOCK_WATCH_MS = 10 * 1000;

/** An exclusive lock beside the own one is waited for until it must have turned stale. */
const EXCLUSIVE_PATIENCE_MS = LOCK_STALE_MS + 60 * 1000;

/** Time between two looks at it. */
const EXCLUSIVE_POLL_MS = 500;

/** Where a lock is put, whose it says it is, and by which clock it ages. */
export interface LockOptions extends LockPlace {
  readonly hostname: string;
  readonly onWarning: (message: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * A writer's shared lock: as long as it is held and fresh, no maintenance takes packfiles away.
 * Any number of writers may hold one; somebody else's exclusive lock rules it out.
 *
 * A lock that was not renewed in time, or that somebody has removed, is lost for good: a maintenance
 * may have run meanwhile, and no later renewal makes up for that.
 */
export class SharedLock {
  readonly #id: string;
  readonly #options: LockOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #renewing: Promise<void> | undefined;
  #refreshedAt: number;
  #hasWarned = false;
  readonly #lost = new AbortController();
  #isAlone = true;

  private constructor(id: string, options: LockOptions) {
    this.#id = id;
    this.#options = options;
    this.#refreshedAt = options.now();
  }

  /**
   * Takes a lock by writing it first and looking at the others then, so that of two who take one
   * at the same time at least one sees the other.
   *
   * @param id 32 bytes: the id of the snapshot being written
   * @throws {LockedError} somebody holds an exclusive lock
   * @throws {CorruptionError} a lock cannot be understood, so that nobody knows what it forbids
   */
  static async acquire(id: Uint8Array, options: LockOptions): Promise<SharedLock> {
    const lock = new SharedLock(macToHex(id), options);
    await lock.#write();
    try {
      await lock.#lookAtOthers();
    } catch (error) {
      await lock.release();
      throw error;
    }
    lock.#timer = setInterval(() => lock.#watch(), LOCK_WATCH_MS);
    Deno.unrefTimer(lock.#timer);
    return lock;
  }

  /** Whether nobody else held a lock when this one was taken. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /** Aborted, with a {@linkcode LockedError}, once the lock is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * @throws {LockedError} the lock is lost: others count it as left behind, or somebody has removed it
   */
  assertFresh(): void {
    const ageMs = this.#options.now() - this.#refreshedAt;
    if (ageMs >= LOCK_STALE_MS) {
      this.#lose(`its lock was not refreshed for ${Math.floor(ageMs / 1000)} s`);
    }
    this.#lost.signal.throwIfAborted();
  }

  /**
   * Renews the lock and makes sure that nobody holds an exclusive one beside it.
   *
   * Who wants an exclusive lock writes it before looking at the others, and takes it back on seeing
   * ours: that one is waited for, and one whose owner was killed meanwhile, until it turns stale. A
   * run of hours is not given up for it.
   *
   * @param signal ends the wait
   * @throws {LockedError} the lock is lost, or somebody holds an exclusive one all the same
   * @throws {CorruptionError} a lock cannot be understood
   * @throws {StoreError} the lock could not be renewed, or the others could not be read
   * @throws the signal's reason
   */
  async confirm(signal: AbortSignal): Promise<void> {
    await this.#renewing;
    this.assertFresh();
    await this.#renew();
    const { now, onWarning } = this.#options;
    const untilMs = now() + EXCLUSIVE_PATIENCE_MS;
    for (let hasWarned = false;;) {
      try {
        await this.#lookAtOthers();
        break;
      } catch (error) {
        if (!(error instanceof LockedError) || now() >= untilMs) throw error;
        if (!hasWarned) onWarning(`${error.message}. Waiting until it goes`);
        hasWarned = true;
      }
      await new Promise((resolve) => setTimeout(resolve, EXCLUSIVE_POLL_MS));
      signal.throwIfAborted();
      this.assertFresh();
    }
    this.assertFresh();
  }

  /** Gives the lock back; one that cannot be deleted turns stale by itself. Idempotent. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    try {
      await this.#options.store.delete("lock", this.#id);
    } catch (error) {
      this.#options.onWarning(`Cannot remove lock ${this.#id}: ${messageOf(error)}`);
    }
  }

  async #write(): Promise<void> {
    const { store, codec, mac, hostname, now } = this.#options;
    const timestamp = now();
    const lock: Lock = {
      version: VERSION_1_0_0,
      timestampNs: BigInt(timestamp) * NS_PER_MS,
      hostname,
      exclusive: false,
    };
    const payload = codec.encode(encodeLock(lock));
    const envelope = encodeEnvelope(ResourceType.LOCK, VERSION_1_0_0, payload, mac.of);
    await store.put("lock", this.#id, envelope);
    this.#refreshedAt = timestamp;
  }

  /** Renews the lock when it is time, and again soon where that fails, until it is too late. */
  #watch(): void {
    const ageMs = this.#options.now() - this.#refreshedAt;
    if (ageMs >= LOCK_STALE_MS) {
      this.#lose(`its lock was not refreshed for ${Math.floor(ageMs / 1000)} s`);
      return;
    }
    if (ageMs < LOCK_REFRESH_MS || this.#renewing !== undefined) return;
    this.#renewing = this.#renew()
      .then(() => {
        this.#hasWarned = false;
      })
      .catch((error) => {
        if (this.#lost.signal.aborted || this.#hasWarned) return;
        this.#hasWarned = true;
        this.#options.onWarning(`Cannot refresh lock ${this.#id}: ${messageOf(error)}`);
      })
      .finally(() => {
        this.#renewing = undefined;
      });
  }

  /** Writes the lock anew where it is still there, and only if that took less than its life. */
  async #renew(): Promise<void> {
    const before = this.#refreshedAt;
    try {
      await this.#options.store.size("lock", this.#id);
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError)) throw error;
      this.#lose("somebody has removed its lock", error);
    }
    this.#lost.signal.throwIfAborted();
    await this.#write();
    const tookMs = this.#options.now() - before;
    if (tookMs >= LOCK_STALE_MS) {
      this.#lose(`its lock was not refreshed for ${Math.floor(tookMs / 1000)} s`);
    }
    this.#lost.signal.throwIfAborted();
  }

  #lose(how: string, cause?: Error): void {
    if (this.#lost.signal.aborted) return;
    clearInterval(this.#timer);
    this.#lost.abort(
      new LockedError(
        `Cannot go on writing to repository "${this.#options.store.location}": ${how}, so that a ` +
          "maintenance may have run meanwhile. Nothing was committed; start again",
        { cause },
      ),
    );
  }

  async #lookAtOthers(): Promise<void> {
    const { store, now } = this.#options;
    for (const id of await store.list("lock")) {
      if (id === this.#id) continue;
      const lock = await readLock(this.#options, id);
      if (lock === undefined) continue;
      const ageMs = ageOf(lock, now());
      if (ageMs >= LOCK_STALE_MS) {
        await this.#removeStale(id);
        continue;
      }
      this.#isAlone = false;
      if (lock.exclusive) {
        throw lockedBy(store.location, lock, ageMs);
      }
    }
  }

  /** Stale locks forbid nothing, so that one which has to stay is no reason to give up. */
  async #removeStale(id: string): Promise<void> {
    try {
      await this.#options.store.delete("lock", id);
    } catch (error) {
      this.#options.onWarning(`Cannot remove stale lock ${id}: ${messageOf(error)}`);
    }
  }
}
