import type { Catalog } from "../state/mod.ts";
import { type Codec, type MacFunction, rereadOnDamage } from "../unit/mod.ts";
import { CorruptionError, ObjectNotFoundError } from "../errors.ts";
import {
  ENVELOPE_HEADER_BYTES,
  FormatError,
  macsEqual,
  macToHex,
  ResourceType,
  resourceTypeName,
} from "../format/mod.ts";
import type { BlobLocation } from "../index/mod.ts";
import type { Store } from "../store/mod.ts";

/** Blobs whose id is not the MAC of their content: something else vouches for them. */
const NAMED_BLOBS: ReadonlySet<number> = new Set([ResourceType.SNAPSHOT, ResourceType.SIGNATURE]);

/** Where in a packfile's file a blob starts: its offset counts from the end of the header. */
export function filePosition(location: BlobLocation): number {
  return ENVELOPE_HEADER_BYTES + location.offset;
}

/** Where blobs are read, and who is told of copies that are damaged. */
export interface BlobReaderOptions {
  readonly store: Store;
  readonly codec: Codec;
  readonly mac: MacFunction;
  readonly catalog: Catalog;
  /** Told once of each packfile whose blobs had to be read from another. */
  readonly onWarning: (message: string) => void;
}

/**
 * Reads structures (everything but chunks of large contents) and verifies each. Where a blob lies in
 * several packfiles, one that is missing or damaged is no loss: the next is read, and the user told.
 */
export class BlobReader {
  readonly #options: BlobReaderOptions;
  readonly #told = new Set<string>();

  constructor(options: BlobReaderOptions) {
    this.#options = options;
  }

  /**
   * Where a blob is: the place that is most likely sound.
   *
   * @throws {CorruptionError} no packfile that is in use holds it
   */
  async locate(type: number, mac: Uint8Array): Promise<BlobLocation> {
    return (await this.#locateAll(type, mac))[0];
  }

  /**
   * What `read` makes of a blob at one of its places: of the next, as long as one is damaged.
   *
   * @param read fails with a {@linkcode CorruptionError} where the blob is not what it should be
   * @throws {CorruptionError} no packfile that is in use holds the blob, or all copies are damaged:
   * then it is about the first
   * @throws whatever else `read` fails with
   */
  async fromAnyCopy<T>(
    type: number,
    mac: Uint8Array,
    read: (location: BlobLocation) => Promise<T>,
  ): Promise<T> {
    return await this.#firstSound(await this.#locateAll(type, mac), read, undefined);
  }

  /**
   * A blob's plain bytes from any place but the one that was found damaged.
   *
   * @throws {CorruptionError} what was found, where there is no other place that is sound
   * @throws {StoreError} the store failed
   */
  async readInstead(type: number, mac: Uint8Array, damage: CorruptionError): Promise<Uint8Array> {
    const others: BlobLocation[] = [];
    for (const location of await this.#locateAll(type, mac)) {
      if (macToHex(location.packfile) !== damage.context.packfile) others.push(location);
      else this.#doubt(location.packfile, damage);
    }
    return await this.#firstSound(others, (at) => this.#readAt(type, mac, at), damage);
  }

  async #firstSound<T>(
    locations: readonly BlobLocation[],
    read: (location: BlobLocation) => Promise<T>,
    damage: CorruptionError | undefined,
  ): Promise<T> {
    for (const location of locations) {
      try {
        const result = await read(location);
        if (damage !== undefined) this.#tell(damage, location.packfile);
        return result;
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        this.#doubt(location.packfile, error);
        damage ??= error;
      }
    }
    throw damage!;
  }

  /**
   * A blob's plain bytes, authenticated by its MAC; a snapshot's header is not, see
   * `verifyPackfile`.
   *
   * @throws {CorruptionError} the blob is missing or damaged
   * @throws {StoreError} the store failed
   */
  async read(type: number, mac: Uint8Array): Promise<Uint8Array> {
    return await this.fromAnyCopy(type, mac, (location) => this.#readAt(type, mac, location));
  }

  /**
   * What is missing or cut may be back tomorrow, and a writer's look at its start tells: only what was
   * read and is wrong has to be kept in mind.
   */
  #doubt(packfile: Uint8Array, { cause }: CorruptionError): void {
    const { catalog } = this.#options;
    if (cause instanceof FormatError) catalog.suspect(packfile);
    else catalog.index.doubt(packfile);
  }

  async #locateAll(
    type: number,
    mac: Uint8Array,
  ): Promise<readonly [BlobLocation, ...BlobLocation[]]> {
    const { catalog } = this.#options;
    const index = type === ResourceType.SNAPSHOT ? catalog.index : await catalog.completeIndex();
    const [first, ...others] = index.findAll(type, mac);
    if (first !== undefined) return [first, ...others];
    throw new CorruptionError(
      `${describe(type, mac)} is missing: no packfile holds it`,
      contextOf(type, mac),
    );
  }

  async #readAt(type: number, mac: Uint8Array, location: BlobLocation): Promise<Uint8Array> {
    const { store, codec, mac: macs } = this.#options;
    const packfile = macToHex(location.packfile);
    const damaged = (problem: string) =>
      new CorruptionError(
        `${describe(type, mac)} in packfile ${packfile} is damaged: ${problem}`,
        { ...contextOf(type, mac), packfile },
      );
    try {
      return await rereadOnDamage(async () => {
        const encoded = new Uint8Array(location.length);
        await store.read("packfile", packfile, filePosition(location), encoded);
        const plain = codec.decode(encoded);
        if (!NAMED_BLOBS.has(type) && !macsEqual(macs.of(plain), mac)) {
          throw new FormatError("content", "does not match its MAC", "checksum");
        }
        return plain;
      }, damaged);
    } catch (error) {
      if (error instanceof ObjectNotFoundError) throw damaged("the packfile is missing");
      throw error;
    }
  }

  #tell(damage: CorruptionError, packfile: Uint8Array): void {
    const damaged = damage.context.packfile ?? "";
    if (this.#told.has(damaged)) return;
    this.#told.add(damaged);
    this.#options.onWarning(
      `${damage.message}; another copy is sound, and was read from packfile ${macToHex(packfile)}`,
    );
  }
}

function describe(type: number, mac: Uint8Array): string {
  return `${resourceTypeName(type)} ${macToHex(mac)}`;
}

function contextOf(type: number, mac: Uint8Array): { chunk?: string } {
  return type === ResourceType.CHUNK ? { chunk: macToHex(mac) } : {};
}
