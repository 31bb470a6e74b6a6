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

/** Reads structures (everything but chunks of large contents) and verifies each. */
export class BlobReader {
  readonly #store: Store;
  readonly #codec: Codec;
  readonly #mac: MacFunction;
  readonly #catalog: Catalog;

  constructor(store: Store, codec: Codec, mac: MacFunction, catalog: Catalog) {
    this.#store = store;
    this.#codec = codec;
    this.#mac = mac;
    this.#catalog = catalog;
  }

  /**
   * Where a blob is.
   *
   * @throws {CorruptionError} no packfile that is in use holds it
   */
  async locate(type: number, mac: Uint8Array): Promise<BlobLocation> {
    const index = type === ResourceType.SNAPSHOT
      ? this.#catalog.index
      : await this.#catalog.completeIndex();
    const location = index.find(type, mac);
    if (location !== undefined) return location;
    throw new CorruptionError(
      `${describe(type, mac)} is missing: no packfile holds it`,
      contextOf(type, mac),
    );
  }

  /**
   * A blob's plain bytes, authenticated by its MAC; a snapshot's header is not, see
   * `verifyPackfile`.
   *
   * @throws {CorruptionError} the blob is missing or damaged
   * @throws {StoreError} the store failed
   */
  async read(type: number, mac: Uint8Array): Promise<Uint8Array> {
    const location = await this.locate(type, mac);
    const packfile = macToHex(location.packfile);
    const damaged = (problem: string) =>
      new CorruptionError(
        `${describe(type, mac)} in packfile ${packfile} is damaged: ${problem}`,
        { ...contextOf(type, mac), packfile },
      );
    try {
      return await rereadOnDamage(async () => {
        const encoded = new Uint8Array(location.length);
        await this.#store.read("packfile", packfile, filePosition(location), encoded);
        const plain = this.#codec.decode(encoded);
        if (!NAMED_BLOBS.has(type) && !macsEqual(this.#mac.of(plain), mac)) {
          throw new FormatError("content", "does not match its MAC", "checksum");
        }
        return plain;
      }, damaged);
    } catch (error) {
      if (error instanceof ObjectNotFoundError) throw damaged("the packfile is missing");
      throw error;
    }
  }
}

function describe(type: number, mac: Uint8Array): string {
  return `${resourceTypeName(type)} ${macToHex(mac)}`;
}

function contextOf(type: number, mac: Uint8Array): { chunk?: string } {
  return type === ResourceType.CHUNK ? { chunk: macToHex(mac) } : {};
}
