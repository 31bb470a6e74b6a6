import type { Engine } from "../engine.ts";
import {
  AmbiguousSnapshotIdError,
  CorruptionError,
  InvalidSnapshotIdError,
  SnapshotNotFoundError,
  StoreError,
} from "../errors.ts";
import { type Configuration, type Mac, macFromHex, macToHex, uuidToString } from "../format/mod.ts";
import {
  decodeCachedHeader,
  encodeCachedHeader,
  readHeader,
  readUnverifiedHeader,
  type SnapshotHeader,
  snapshotHeaderOf,
  type SnapshotOptions,
  SnapshotReader,
  SnapshotWriter,
} from "../snapshot/mod.ts";
import {
  type DamagedState,
  findLocks,
  type FoundLock,
  type LockPatience,
  waitForExclusiveLocks,
} from "../state/mod.ts";
import { readConfiguration } from "./_configuration_file.ts";

/** A snapshot whose header cannot be read. */
export interface UnreadableSnapshot {
  /** 64 hex digits. */
  readonly id: string;
  readonly error: Error;
}

/**
 * An open repository. {@linkcode close} it, or declare it with `await using`: threads end with it.
 *
 * @example Back up a stream and read it back
 * ```ts
 * import { createRepository, openStore } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * await using repository = await createRepository(openStore(directory));
 * const writer = await repository.createSnapshot({
 *   name: "greeting",
 *   importer: { type: "example", origin: "here", directory: "/" },
 * });
 * try {
 *   await writer.addFile("/hello.txt", new Blob(["hello world"]).stream());
 *   await writer.commit();
 * } finally {
 *   await writer.abort(); // without effect after a commit
 * }
 *
 * const reader = await repository.openSnapshot(writer.id);
 * assertEquals(await new Response(reader.read("/hello.txt")).text(), "hello world");
 * assertEquals(await reader.check(), []);
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class Repository implements AsyncDisposable {
  readonly #engine: Engine;

  /** Use `openRepository` or `createRepository`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The repository's UUID. */
  get id(): string {
    return uuidToString(this.#engine.configuration.repositoryId);
  }

  /** Where it is, for messages. */
  get location(): string {
    return this.#engine.store.location;
  }

  /** Whether only who knows its passphrase can read it. */
  get isEncrypted(): boolean {
    return this.#engine.codec.encoding.encryption !== undefined;
  }

  /** What its CONFIG says. */
  get configuration(): Configuration {
    return this.#engine.configuration;
  }

  /** State files that are damaged: snapshots may be missing from the list because of them. */
  get damagedStates(): readonly DamagedState[] {
    return this.#engine.catalog.states.damaged;
  }

  /**
   * All snapshots, oldest first, and those whose header cannot be read.
   *
   * @throws {StoreError} the store failed
   */
  async snapshots(): Promise<{ headers: SnapshotHeader[]; unreadable: UnreadableSnapshot[] }> {
    const { catalog } = this.#engine;
    const headers: SnapshotHeader[] = [];
    const unreadable: UnreadableSnapshot[] = [];
    const ids = catalog.index.snapshotIds();
    const cached = catalog.cachedHeaders(ids);
    for (const [i, id] of ids.entries()) {
      try {
        headers.push(await this.#headerFor(id, cached[i]));
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        unreadable.push({ id: macToHex(id), error });
      }
    }
    headers.sort((a, b) =>
      a.timestamp.getTime() - b.timestamp.getTime() || (a.identifier < b.identifier ? -1 : 1)
    );
    return { headers, unreadable };
  }

  /**
   * The full id of the one snapshot whose id starts with a prefix of any length.
   *
   * @throws {InvalidSnapshotIdError} the prefix is not hexadecimal
   * @throws {SnapshotNotFoundError} no snapshot matches
   * @throws {AmbiguousSnapshotIdError} several do
   */
  resolveSnapshotId(prefix: string): string {
    const wanted = prefix.toLowerCase();
    if (!/^[0-9a-f]+$/.test(wanted)) {
      throw new InvalidSnapshotIdError(`invalid snapshot ID "${prefix}": not valid hex`);
    }
    const ids = this.#engine.catalog.index.snapshotIds().map(macToHex);
    const matches = ids.filter((id) => id.startsWith(wanted));
    const [match] = matches;
    if (match === undefined) throw new SnapshotNotFoundError(`snapshot not found: ${prefix}`, ids);
    if (matches.length > 1) {
      throw new AmbiguousSnapshotIdError(
        `ambiguous snapshot ID "${prefix}": matches ${matches.length} snapshots; ` +
          "provide a longer prefix",
        matches.length,
      );
    }
    return match;
  }

  /**
   * Opens a snapshot by its full id; its header is authenticated.
   *
   * @throws {SnapshotNotFoundError} there is no such snapshot
   * @throws {CorruptionError} its header is damaged
   */
  async openSnapshot(id: string): Promise<SnapshotReader> {
    const header = await readHeader(this.#engine, macFromHex(this.resolveSnapshotId(id)));
    return new SnapshotReader(this.#engine, header);
  }

  /**
   * Opens a snapshot for reading what is left of it: where its header cannot be authenticated, it
   * is read all the same, so that {@linkcode SnapshotReader.check} can say what is damaged.
   *
   * @throws {SnapshotNotFoundError} there is no such snapshot
   * @throws {CorruptionError} its header cannot be read at all
   */
  async inspectSnapshot(id: string): Promise<SnapshotReader> {
    try {
      return await this.openSnapshot(id);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
    }
    const header = await readUnverifiedHeader(
      this.#engine,
      macFromHex(this.resolveSnapshotId(id)),
    );
    return new SnapshotReader(this.#engine, header);
  }

  /**
   * Starts writing a snapshot.
   *
   * @throws {LockedError} somebody holds an exclusive lock
   * @throws {CorruptionError} a state is damaged
   * @throws {UnsupportedVersionError} the repository asks for chunks that this engine cannot cut
   * @throws {StoreError} the store cannot be written
   */
  async createSnapshot(options: SnapshotOptions): Promise<SnapshotWriter> {
    return await SnapshotWriter.start(this.#engine, options);
  }

  /**
   * Who holds a lock, or has left one behind.
   *
   * @throws {StoreError} the store failed
   */
  async locks(): Promise<FoundLock[]> {
    return await findLocks(this.#engine);
  }

  /**
   * Waits until no maintenance keeps others from writing.
   *
   * @throws {LockedError} one still does
   * @throws {CorruptionError} a lock cannot be understood
   * @throws {StoreError} the store failed
   */
  async waitForMaintenance(patience: LockPatience): Promise<void> {
    await waitForExclusiveLocks(this.#engine, patience);
  }

  /**
   * Removes a lock, whoever holds it: a run that does sees that it has lost it, and commits nothing.
   *
   * @throws {StoreError} the store failed
   */
  async removeLock({ id }: Pick<FoundLock, "id">): Promise<void> {
    await this.#engine.store.delete("lock", id);
  }

  /**
   * Learns of what others have stored since it was opened.
   *
   * @throws {UnsupportedVersionError} a state is newer than this engine
   * @throws {StoreError} the store failed
   */
  async refresh(): Promise<void> {
    await this.#engine.catalog.refresh();
  }

  /**
   * Takes a name for this run, which no other run takes until it is given back, as far as the store
   * can tell the two apart.
   *
   * @param name letters, digits, dots, dashes and underscores
   * @returns what gives it back; undefined where another run has it
   * @throws {StoreError} the store failed
   */
  async claim(name: string): Promise<(() => Promise<void>) | undefined> {
    if (!/^[\w.-]+$/.test(name)) throw new TypeError(`not a name to claim: ${name}`);
    const { store } = this.#engine;
    return store.claim === undefined ? () => Promise.resolve() : await store.claim(name);
  }

  /**
   * Makes sure that the location still holds this repository, and not one that somebody else has
   * created there, or mounted, since it was opened.
   *
   * @throws {StoreError} it does not, or cannot be read
   */
  async requireSame(): Promise<void> {
    const { store, kernels, configuration } = this.#engine;
    const id = (await readConfiguration(store, kernels)).configuration.repositoryId;
    if (uuidToString(id) === uuidToString(configuration.repositoryId)) return;
    throw new StoreError(
      `The repository at "${store.location}" is not the one that was opened there: it was replaced ` +
        "meanwhile, or created by two runs at the same time",
    );
  }

  /** Keeps the index for the next run and ends the threads. Idempotent. */
  // deno-lint-ignore require-await -- closing may wait in a later store; callers await it already
  async close(): Promise<void> {
    this.#engine.catalog.close();
    this.#engine.pool.close();
  }

  /** The same as {@linkcode close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A header out of the cache if it is there, else out of the store and into the cache. */
  async #headerFor(id: Mac, cached: Uint8Array | undefined): Promise<SnapshotHeader> {
    const known = cached && decodeCachedHeader(cached);
    if (known !== undefined) return known;
    const header = snapshotHeaderOf(await readUnverifiedHeader(this.#engine, id));
    this.#engine.catalog.cacheHeader(id, encodeCachedHeader(header));
    return header;
  }
}
