import {
  type Configuration,
  encodeEnvelope,
  type Mac,
  macFromHex,
  macToHex,
  NIL_MAC,
  type PackfileRecord,
  ResourceType,
  StateEncoder,
} from "../format/mod.ts";
import { LockedError } from "../errors.ts";
import type { Store } from "../store/mod.ts";
import type { Codec, MacFunction } from "../unit/mod.ts";
import type { Catalog } from "./catalog.ts";
import { type Flavour, flavourOf, stateVersionOf } from "./flavour.ts";
import type { SharedLock } from "./lock.ts";

/** The repository that a state is committed to. */
export interface StateCommitTarget {
  readonly store: Store;
  readonly codec: Codec;
  readonly mac: MacFunction;
  /** Up to date under the lock that {@linkcode StateCommit.put} is given. */
  readonly catalog: Catalog;
  readonly configuration: Configuration;
}

/** A packfile that is durable. */
export interface DurablePackfile {
  /** 32 bytes. */
  readonly id: Mac;
  readonly records: readonly PackfileRecord[];
}

/**
 * One state, from its first entry to its file: the only way in which anything comes to exist in a
 * repository, or ceases to. Begin it under a lock, once the catalog is up to date; a writer may
 * commit several, one after the other, under the same lock.
 *
 * What is promised of each: its parent is the state that this process had merged last when it was
 * begun; it is of the version that the repository's clients can read; it is put only while its lock
 * is fresh; and this process's own index knows what it says as soon as it is durable.
 */
export class StateCommit {
  /** What the repository's clients can read. */
  readonly flavour: Flavour;
  readonly #id: Mac;
  readonly #timestampNs: bigint;
  readonly #target: StateCommitTarget;
  readonly #encoder: StateEncoder;

  /**
   * @param id 32 bytes; never those of another state, since clients pass over ids that they know
   * @param timestampNs when the writer has begun, nanoseconds since 1970
   */
  constructor(id: Mac, timestampNs: bigint, target: StateCommitTarget) {
    const { states } = target.catalog;
    this.#id = id;
    this.#timestampNs = timestampNs;
    this.#target = target;
    this.flavour = flavourOf(states, target.configuration);
    this.#encoder = new StateEncoder(
      this.#version,
      states.latest === undefined ? NIL_MAC : macFromHex(states.latest.id),
    );
  }

  get #version(): number {
    return stateVersionOf(this.flavour);
  }

  /**
   * A packfile counts, and its blobs can be read in it. Padding needs no entry. Where a blob is
   * stored again because its packfile is missing or damaged, that place is taken back: other clients
   * read whichever of two places they come across first. Clients of version 1.0 know no such entry.
   */
  addPackfile({ id, records }: DurablePackfile): void {
    const { index } = this.#target.catalog;
    for (const record of records) {
      if (record.type === ResourceType.RANDOM) continue;
      this.#encoder.addLocation({ ...record, packfile: id });
      if (this.flavour === "1.0" || !index.hasDoubts) continue;
      for (const { packfile } of index.findAll(record.type, record.mac)) {
        if (!index.isDoubted(packfile)) continue;
        this.#encoder.deleteLocation(record.type, record.mac, packfile);
      }
    }
    this.#encoder.addPackfile(id, this.#id, this.#timestampNs);
  }

  /**
   * Ends the state and puts it: what it says is true for everybody once this resolves, and for
   * nobody before. Can be called once.
   *
   * @param lock held since before the catalog was brought up to date
   * @param relied packfiles of others that the state's blobs are read together with
   * @returns the length of the state's file in bytes
   * @throws {LockedError} the lock is lost, somebody holds an exclusive one, or a packfile that is
   * relied on has been given up by somebody meanwhile. Where the lock was lost while the state was
   * being put, the state exists and cannot be relied on: others may have built on it already, so that
   * it is not taken back.
   * @throws the signal's reason, or what the store fails with; the state may exist in the latter case
   */
  async put(
    lock: SharedLock,
    signal: AbortSignal,
    relied: Iterable<Mac> = [],
  ): Promise<{ readonly bytes: number }> {
    const { store, codec, mac, catalog, configuration } = this.#target;
    signal.throwIfAborted();
    await lock.confirm(signal);
    const index = await catalog.refreshForWriting();
    for (const packfile of relied) {
      if (index.isInUse(packfile)) continue;
      throw new LockedError(
        `Cannot commit to repository "${store.location}": a maintenance has given up packfile ` +
          `${macToHex(packfile)} meanwhile, which the new snapshot needs. Start again`,
      );
    }
    const stream = this.#encoder.finish(
      this.#timestampNs,
      catalog.states.latest?.serial ?? configuration.repositoryId,
    );
    const envelope = encodeEnvelope(
      ResourceType.STATE,
      this.#version,
      codec.encode(stream),
      mac.of,
    );
    signal.throwIfAborted();
    lock.assertFresh();
    await store.put("state", macToHex(this.#id), envelope);
    try {
      lock.assertFresh();
    } catch (error) {
      throw new LockedError(
        `The state ${
          macToHex(this.#id)
        } of repository "${store.location}" was stored when its lock ` +
          "was lost already, so that a maintenance may have run meanwhile: check the repository " +
          "before what it brings is relied on",
        { cause: error },
      );
    }
    await catalog.add(this.#id, stream, this.#version);
    return { bytes: envelope.length };
  }
}
