import { type Codec, type MacFunction, rereadOnDamage } from "../unit/mod.ts";
import { CorruptionError, ObjectNotFoundError, UnsupportedVersionError } from "../errors.ts";
import {
  type Envelope,
  FormatError,
  formatVersion,
  type Mac,
  macToHex,
  openEnvelope,
  ResourceType,
  StateEntryType,
  type StateMetadata,
  verifyEnvelope,
  VERSION_1_1_0,
  visitState,
} from "../format/mod.ts";
import type { BlobIndex } from "../index/mod.ts";
import type { Store } from "../store/mod.ts";

/** States that are read at the same time. */
const CONCURRENT_READS = 8;

/** What remains to be known of a state once it is merged. */
export interface KnownState {
  /** 64 hex digits. */
  readonly id: string;
  /** Nanoseconds since 1970. */
  readonly timestampNs: bigint;
  /** Version word. */
  readonly version: number;
  readonly serial: Uint8Array;
}

/** Something that takes effect in the order of the states. */
type OrderedEntry =
  | { readonly kind: "colour"; readonly type: number; readonly mac: Mac; readonly whenNs: bigint }
  | {
    readonly kind: "delete";
    readonly entryType: number;
    readonly type: number;
    readonly mac: Mac;
    readonly packfile: Mac;
  };

interface ReadState extends KnownState {
  readonly parent: string;
  readonly ordered: readonly OrderedEntry[];
}

/** A state file that is there but cannot be used. */
export interface DamagedState {
  readonly id: string;
  readonly error: CorruptionError;
}

/** Where states are read from, and the index that they are merged into. */
export interface StatesOptions {
  readonly store: Store;
  readonly codec: Codec;
  readonly mac: MacFunction;
  readonly index: BlobIndex;
}

/**
 * The repository's state files, merged into an index (format reference, sections 9.4 to 9.6).
 *
 * Additions are merged as they come; colours and deletions after them, in the order of the states:
 * parents first, and by time where the parents tell nothing. A location is never added again once
 * it was deleted (packfile ids are unique), so this gives what a merge in full order gives.
 */
export class States {
  readonly #options: StatesOptions;
  readonly #known = new Map<string, KnownState>();
  readonly #damaged = new Map<string, DamagedState>();
  #latest: KnownState | undefined;

  /**
   * @param known states that the index holds already, in merge order
   */
  constructor(options: StatesOptions, known: Iterable<KnownState> = []) {
    this.#options = options;
    for (const state of known) this.#remember(state);
  }

  /** The merged states, in merge order. */
  get known(): Iterable<KnownState> {
    return this.#known.values();
  }

  /** The state merged last: the parent of the next one. */
  get latest(): KnownState | undefined {
    return this.#latest;
  }

  /** State files that could not be read; what they add or delete is unknown. */
  get damaged(): readonly DamagedState[] {
    return [...this.#damaged.values()];
  }

  /** Whether any state needs a client of version 1.1. */
  get needsVersion11(): boolean {
    for (const { version } of this.#known.values()) if (version >= VERSION_1_1_0) return true;
    return false;
  }

  /** Whether any of the listed states is not merged yet. */
  lacks(listed: readonly string[]): boolean {
    return listed.some((id) => !this.#known.has(id));
  }

  /**
   * Merges the states that are new since the last call. A damaged one is remembered in
   * {@linkcode damaged} and tried again next time.
   *
   * @param listed names of all states in the store
   * @throws {UnsupportedVersionError} a state is newer than this engine
   * @throws {StoreError} the store failed
   */
  async merge(listed: readonly string[]): Promise<void> {
    const missing = listed.filter((id) => !this.#known.has(id));
    this.#damaged.clear();
    const states: ReadState[] = [];
    const queue = missing.values();
    const readNext = async () => {
      for (const id of queue) {
        const state = await this.#read(id);
        if (state !== undefined) states.push(state);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_READS }, readNext));
    for (const state of inMergeOrder(states)) {
      for (const entry of state.ordered) this.#apply(entry);
      this.#remember(state);
    }
  }

  /** Merges a state that this process has just written. */
  add(id: Mac, stream: Uint8Array, version: number): void {
    const state = this.#take(macToHex(id), stream, version);
    for (const entry of state.ordered) this.#apply(entry);
    this.#remember(state);
  }

  #remember({ id, timestampNs, version, serial }: KnownState): void {
    const state = { id, timestampNs, version, serial };
    this.#known.set(id, state);
    this.#latest = state;
  }

  async #read(id: string): Promise<ReadState | undefined> {
    const { store, codec, mac } = this.#options;
    try {
      return await rereadOnDamage(async () => {
        const bytes = await store.readAll("state", id);
        const envelope = openState(bytes, mac);
        return this.#take(id, codec.decode(envelope.payload), envelope.version);
      }, (problem) => new CorruptionError(`State ${id} is damaged: ${problem}`));
    } catch (error) {
      // Deleted since it was listed.
      if (error instanceof ObjectNotFoundError) return undefined;
      if (error instanceof CorruptionError) {
        this.#damaged.set(id, { id, error });
        return undefined;
      }
      if (error instanceof FormatError) {
        throw new UnsupportedVersionError(
          `Cannot open repository "${store.location}": state ${id}: ${error.message} ` +
            `(newest known: ${formatVersion(VERSION_1_1_0)})`,
          { cause: error },
        );
      }
      throw error;
    }
  }

  /** Merges a state's additions; a malformed stream merges nothing. */
  #take(id: string, stream: Uint8Array, version: number): ReadState {
    const { index } = this.#options;
    const ordered: OrderedEntry[] = [];
    // The first pass reads to the end, so that nothing of a malformed stream is merged.
    const metadata: StateMetadata = visitState(stream, version, {
      coloured: (type, mac, whenNs) => ordered.push({ kind: "colour", type, mac, whenNs }),
      deleted: (entryType, type, mac, packfile) =>
        ordered.push({ kind: "delete", entryType, type, mac, packfile }),
    });
    visitState(stream, version, {
      location: (type, macAt, packfileAt, offset, length) => {
        // Padding, and a number that no writer uses.
        if (type === ResourceType.RANDOM || type === 0) return;
        index.addLocation(type, stream, macAt, stream, packfileAt, offset, length);
      },
      packfile: (packfile, _stateId, timestampNs) => index.addPackfile(packfile, timestampNs),
    });
    return {
      id,
      timestampNs: metadata.timestampNs,
      version,
      serial: metadata.serial,
      parent: macToHex(metadata.parent),
      ordered,
    };
  }

  #apply(entry: OrderedEntry): void {
    const { index } = this.#options;
    if (entry.kind === "colour") {
      index.colour(entry.type, entry.mac, entry.whenNs);
      return;
    }
    switch (entry.entryType) {
      case StateEntryType.LOCATIONS:
        index.deleteLocation(entry.type, entry.mac, entry.packfile);
        break;
      case StateEntryType.COLOURED:
        index.uncolour(entry.type, entry.mac);
        break;
      case StateEntryType.PACKFILE:
        index.deletePackfile(entry.packfile);
        break;
    }
  }
}

/** Takes a state's envelope apart. Whether it is really newer than this engine, its footer tells. */
function openState(bytes: Uint8Array, mac: MacFunction): Envelope {
  try {
    return openEnvelope(bytes, ResourceType.STATE, VERSION_1_1_0, mac.of);
  } catch (error) {
    if (error instanceof FormatError && error.reason === "version") verifyEnvelope(bytes, mac.of);
    throw error;
  }
}

/** Parents before children; otherwise by time, then by id, so that every client agrees. */
function inMergeOrder(states: readonly ReadState[]): ReadState[] {
  const byId = new Map(states.map((state) => [state.id, state]));
  const inTime = states.toSorted((a, b) =>
    a.timestampNs < b.timestampNs ? -1 : a.timestampNs > b.timestampNs ? 1 : a.id < b.id ? -1 : 1
  );
  const ordered = new Set<ReadState>();
  for (const state of inTime) {
    // A chain of parents that is not merged yet goes first, eldest first. A cycle, which no
    // writer makes, ends where it meets itself.
    const chain: ReadState[] = [];
    const seen = new Set<ReadState>();
    for (
      let next: ReadState | undefined = state;
      next !== undefined && !ordered.has(next) && !seen.has(next);
      next = byId.get(next.parent)
    ) {
      seen.add(next);
      chain.push(next);
    }
    for (const ancestor of chain.reverse()) ordered.add(ancestor);
  }
  return [...ordered];
}
