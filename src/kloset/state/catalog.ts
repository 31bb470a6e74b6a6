import type { Codec, MacFunction } from "../unit/mod.ts";
import { type Mac, macToHex } from "../format/mod.ts";
import { BlobIndex, type CachedIndex, type IndexCache } from "../index/mod.ts";
import { type KnownState, States } from "./states.ts";
import { CorruptionError } from "../errors.ts";
import type { Store } from "../store/mod.ts";

/** Where a catalog reads its states from, and what it remembers them in. */
export interface CatalogOptions {
  readonly store: Store;
  readonly codec: Codec;
  readonly mac: MacFunction;
  readonly cache: IndexCache | undefined;
}

/**
 * What the repository holds and where: its states, merged into an index, with a cache of both
 * between runs.
 *
 * An index that comes from the cache knows the snapshots at first, and the rest once
 * {@linkcode completeIndex} was called: listing snapshots needs no more.
 */
export class Catalog {
  readonly #options: CatalogOptions;
  #index = new BlobIndex();
  #states: States;
  /** Number of states in the cache file, as far as this process knows. */
  #cachedStates = 0;
  /** Settles when the merge that is under way has ended. */
  #merging: Promise<void> = Promise.resolve();

  private constructor(options: CatalogOptions) {
    this.#options = options;
    this.#states = new States({ ...options, index: this.#index });
  }

  /**
   * @throws {UnsupportedVersionError} a state is newer than this engine
   * @throws {StoreError} the store failed
   */
  static async open(options: CatalogOptions): Promise<Catalog> {
    const catalog = new Catalog(options);
    // The cache is read while the store answers.
    const listing = options.store.list("state");
    const cached = options.cache?.load();
    const listed = await listing;
    if (cached !== undefined) catalog.#restore(cached, new Set(listed));
    await catalog.#merge(listed);
    return catalog;
  }

  /** The index; {@linkcode completeIndex} first where more than snapshots is looked up. */
  get index(): BlobIndex {
    return this.#index;
  }

  /** The merged states. */
  get states(): States {
    return this.#states;
  }

  /** Merges the states that others have written since. */
  async refresh(): Promise<void> {
    await this.#serially(async () => await this.#merge(await this.#options.store.list("state")));
  }

  /**
   * Brings the index up to date for somebody who is about to write and holds a lock already: what it
   * says then stays true as long as the lock is held.
   *
   * @throws {CorruptionError} a state is damaged, so that nobody knows what can be relied on
   */
  async refreshForWriting(): Promise<BlobIndex> {
    await this.refresh();
    const index = await this.completeIndex();
    const [damaged] = this.#states.damaged;
    if (damaged === undefined) return index;
    throw new CorruptionError(
      `Cannot write to repository "${this.#options.store.location}": ${damaged.error.message}`,
      {},
      { cause: damaged.error },
    );
  }

  /** The index with all its locations. */
  async completeIndex(): Promise<BlobIndex> {
    if (!this.#index.complete) await this.#serially(() => this.#complete());
    return this.#index;
  }

  async #complete(): Promise<void> {
    if (!this.#index.complete && !this.#options.cache!.complete(this.#index)) await this.#rebuild();
  }

  /**
   * One merge after the other: additions take effect as they are read, and deletions at the end, so
   * that of two at the same time one would bring back for a while what the other has deleted.
   */
  #serially(action: () => void | Promise<void>): Promise<void> {
    const done = this.#merging.then(action);
    this.#merging = done.catch(() => {
      // Thrown to whoever asked for that merge; the next begins anew.
    });
    return done;
  }

  /** Adds a state that this process has just stored. The index must be complete. */
  add(id: Mac, stream: Uint8Array, version: number): Promise<void> {
    return this.#serially(() => this.#states.add(id, stream, version));
  }

  /** Snapshot headers from the cache, as many of them as it has; undefined in place of the others. */
  cachedHeaders(ids: readonly Mac[]): readonly (Uint8Array | undefined)[] {
    const { cache, codec } = this.#options;
    const cached = cache?.getHeaders(ids) ?? ids.map(() => undefined);
    if (!this.#isEncrypted) return cached;
    return cached.map((bytes) => bytes === undefined ? undefined : codec.decode(bytes));
  }

  /**
   * Keeps a snapshot header for the next run; encrypted if the repository is: names, tags and hosts
   * are in it.
   *
   * What else the cache keeps is ids, which are random or made with the repository's key, and where
   * stored blobs are and how long. Their lengths could tell whoever reads the cache, which is for
   * the user alone, that a known file is in the repository; nothing else.
   */
  cacheHeader(id: Mac, bytes: Uint8Array): void {
    const { cache, codec } = this.#options;
    cache?.putHeader(id, this.#isEncrypted ? codec.encode(bytes) : bytes);
  }

  get #isEncrypted(): boolean {
    return this.#options.codec.encoding.encryption !== undefined;
  }

  /**
   * A packfile was read and found damaged: later writers do not rely on it, in this process and in
   * those that use the same cache.
   */
  suspect(packfile: Mac): void {
    this.#index.doubt(packfile);
    this.#options.cache?.putSuspect(packfile);
  }

  /** Packfiles that were found damaged by this process or an earlier one with the same cache. */
  get suspects(): readonly Mac[] {
    return this.#options.cache?.getSuspects() ?? [];
  }

  /** Keeps what is new for the next run, and lets go of the cache. Idempotent. */
  close(): void {
    this.#save();
    this.#options.cache?.[Symbol.dispose]();
  }

  /** Keeps what is new for the next run. A cache that cannot be written has said so itself. */
  #save(): void {
    if (!this.#hasNews && !this.#options.cache?.hasNews) return;
    const known = [...this.#states.known];
    this.#options.cache?.save({
      index: this.#index,
      stateIds: new Set(known.map(({ id }) => id)),
      extra: JSON.stringify(known.map(encodeState)),
    });
    this.#cachedStates = known.length;
  }

  /** Whether there are states that the cache lacks. */
  get #hasNews(): boolean {
    return [...this.#states.known].length !== this.#cachedStates;
  }

  #restore({ index, stateIds, extra }: CachedIndex, listed: ReadonlySet<string>): void {
    const known = decodeStates(extra);
    // A state that has vanished: the repository is not the one that was cached (restored from an
    // older copy, say), so nothing cached can be relied on.
    const isCurrent = known !== undefined && known.length === stateIds.size &&
      known.every(({ id }) => stateIds.has(id) && listed.has(id));
    if (!isCurrent) {
      this.#options.cache?.invalidate();
      return;
    }
    this.#index = index;
    this.#states = new States({ ...this.#options, index }, known);
    this.#cachedStates = known.length;
  }

  async #merge(listed: readonly string[]): Promise<void> {
    if (!this.#index.complete && this.#states.lacks(listed)) await this.#complete();
    await this.#states.merge(listed);
  }

  async #rebuild(): Promise<void> {
    this.#index = new BlobIndex();
    this.#states = new States({ ...this.#options, index: this.#index });
    this.#cachedStates = 0;
    await this.#states.merge(await this.#options.store.list("state"));
  }
}

/** A state as it is kept in the cache: id, timestamp, version, serial in hex. */
type EncodedState = [string, string, number, string];

function encodeState({ id, timestampNs, version, serial }: KnownState): EncodedState {
  return [id, timestampNs.toString(), version, macToHex(serial)];
}

function decodeStates(extra: string): KnownState[] | undefined {
  // The cache has verified that this is what save() wrote, in this or an older program version.
  const states: unknown = JSON.parse(extra);
  if (!Array.isArray(states) || !states.every(isEncodedState)) return undefined;
  // Each state repeats the serial of the one before it: nearly all have the same.
  const serials = new Map<string, Uint8Array>();
  return states.map(([id, timestampNs, version, hex]) => {
    const serial = serials.get(hex) ??
      Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    serials.set(hex, serial);
    return { id, timestampNs: BigInt(timestampNs), version, serial };
  });
}

function isEncodedState(value: unknown): value is EncodedState {
  return Array.isArray(value) && value.length === 4 && typeof value[0] === "string" &&
    typeof value[1] === "string" && /^\d+$/.test(value[1]) && typeof value[2] === "number" &&
    typeof value[3] === "string";
}
