import type { Region } from "../../kernels/mod.ts";
import type { Appended, ChunkSink } from "./chunk_sink.ts";
import type { Codec, MacFunction } from "../unit/mod.ts";
import { type Mac, macsEqual, macToHex, ResourceType } from "../format/mod.ts";
import { BlobIndex } from "../index/mod.ts";
import { PackfileWriter } from "./packfile_writer.ts";
import type { Store } from "../store/mod.ts";
import type { WorkerPool } from "../workers/mod.ts";

/** Where the blobs of one writer go, and what they need not be stored for. */
export interface PackerOptions {
  readonly store: Store;
  readonly pool: WorkerPool;
  readonly codec: Codec;
  readonly mac: MacFunction;
  /** What the repository holds already; complete. */
  readonly index: BlobIndex;
  /** A packfile is closed when its blobs exceed this many bytes. */
  readonly maximumPackfileBytes: number;
  /** Nanoseconds since 1970, for the packfiles' footers. */
  readonly timestampNs: bigint;
  /** Called with each packfile once it is durable. */
  readonly onPackfile: (packfile: PackfileWriter) => void;
}

/**
 * Sorts the blobs of one writer into packfiles: chunks into one, structures into another, so that
 * reading structures does not touch the bulk of the data. A blob that the repository or this
 * writer has already is not stored again.
 */
export class Packer implements ChunkSink {
  readonly #options: PackerOptions;
  /** Blobs of this writer: nobody else may rely on them before its state is stored. */
  readonly #own = new BlobIndex();
  #chunks: PackfileWriter | undefined;
  #structures: PackfileWriter | undefined;
  /** A full packfile that is being finished while the next one fills. */
  #finishing: Promise<void> = Promise.resolve();
  readonly #unfinished = new Set<PackfileWriter>();
  #aborted = false;
  readonly #relied = new Map<string, Mac>();
  #reliedLast: Mac | undefined;

  constructor(options: PackerOptions) {
    this.#options = options;
  }

  /** Packfiles of others with blobs that were not stored again. */
  get relied(): Iterable<Mac> {
    return this.#relied.values();
  }

  /** @inheritdoc */
  claim(mac: Mac): boolean {
    return this.#claim(ResourceType.CHUNK, mac);
  }

  /** @inheritdoc */
  async append(mac: Mac, data: Region, length: number): Promise<Appended> {
    this.#chunks ??= await this.#open();
    const packfile = this.#chunks;
    const stored = packfile.appendRegion(ResourceType.CHUNK, mac, data, length);
    stored.catch(() => {
      // Thrown to whoever awaits it; without a handler now it would end the process first.
    });
    if (packfile.dataLength > this.#options.maximumPackfileBytes) {
      this.#chunks = undefined;
      try {
        await this.#finishLater(packfile);
      } catch (error) {
        // Nobody may use the region for something else before it is at rest.
        await stored.catch(() => {});
        throw error;
      }
    }
    return { stored };
  }

  /** Stores a structure under the MAC of its bytes, which is returned. */
  async putStructure(type: number, plain: Uint8Array): Promise<Mac> {
    const mac = this.#options.mac.of(plain);
    if (this.#claim(type, mac)) await this.#append(type, mac, plain);
    return mac;
  }

  /** Stores a structure under a given id. */
  async putNamed(type: number, id: Mac, plain: Uint8Array): Promise<void> {
    await this.#append(type, id, plain);
  }

  /** Ends all packfiles; everything is durable then. */
  async finish(): Promise<void> {
    await this.#finishing;
    for (const packfile of [this.#chunks, this.#structures]) {
      if (packfile !== undefined) await this.#finish(packfile);
    }
    this.#chunks = undefined;
    this.#structures = undefined;
  }

  /** Gives up the packfiles that are not finished. No call of another method may be under way. */
  async abort(): Promise<void> {
    this.#aborted = true;
    await this.#finishing.catch(() => {
      // The failure has been thrown to the caller of append() or finish().
    });
    for (const packfile of this.#unfinished) await packfile.abort();
    this.#unfinished.clear();
  }

  #claim(type: number, mac: Mac): boolean {
    if (this.#own.has(type, mac)) return false;
    if (this.#options.index.has(type, mac)) {
      this.#rely(this.#options.index.find(type, mac)!.packfile);
      return false;
    }
    // Where it will be does not matter here, only that it is ours.
    this.#own.addLocation(type, mac, 0, OWN_PACKFILE, 0, 0, 0);
    this.#own.addPackfile(OWN_PACKFILE, 0n);
    return true;
  }

  #rely(packfile: Mac): void {
    // Blobs that follow one another are mostly in one packfile.
    if (this.#reliedLast !== undefined && macsEqual(this.#reliedLast, packfile)) return;
    this.#reliedLast = packfile;
    this.#relied.set(macToHex(packfile), packfile);
  }

  async #append(type: number, mac: Mac, plain: Uint8Array): Promise<void> {
    this.#structures ??= await this.#open();
    await this.#structures.appendBytes(type, mac, this.#options.codec.encode(plain));
    if (this.#structures.dataLength <= this.#options.maximumPackfileBytes) return;
    const full = this.#structures;
    this.#structures = undefined;
    await this.#finishLater(full);
  }

  async #open(): Promise<PackfileWriter> {
    if (this.#aborted) throw new Error("Cannot store a blob: the writer was aborted");
    const { store, pool, codec, mac, timestampNs } = this.#options;
    const id = crypto.getRandomValues(new Uint8Array(32));
    const writer = await store.openWriter("packfile", macToHex(id));
    const packfile = new PackfileWriter(id, writer, { pool, codec, mac, timestampNs });
    this.#unfinished.add(packfile);
    return packfile;
  }

  /** Starts finishing a full packfile, once the one before it is done. */
  async #finishLater(packfile: PackfileWriter): Promise<void> {
    const previous = this.#finishing;
    const finishing = previous.then(() => this.#finish(packfile));
    finishing.catch(() => {
      // Thrown to whoever awaits it next; without a handler now it would end the process first.
    });
    this.#finishing = finishing;
    await previous;
  }

  async #finish(packfile: PackfileWriter): Promise<void> {
    await packfile.finish();
    this.#unfinished.delete(packfile);
    this.#options.onPackfile(packfile);
  }
}

/** Stands for "some packfile of this writer" in its own index. */
const OWN_PACKFILE = new Uint8Array(32).fill(0xff);
