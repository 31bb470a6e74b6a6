import type { Region } from "../../kernels/mod.ts";
import { type Codec, type MacFunction, StreamMac } from "../unit/mod.ts";
import {
  encodeEnvelopeHeader,
  encodePackfileFooter,
  encodePackfileIndex,
  type PackfileRecord,
  ResourceType,
  VERSION_1_0_0,
} from "../format/mod.ts";
import type { ObjectWriter } from "../store/mod.ts";
import type { WorkerPool } from "../workers/mod.ts";

/** Small blobs are gathered to this size before they are written. */
const BUFFER_BYTES = 256 * 1024;

/**
 * Least length of the trailing padding. Plakar reads up to 4095 bytes beyond the blob that it
 * wants and takes a short read for damage (format reference, section 8.5).
 */
const MINIMUM_PADDING_BYTES = 4096;

export interface PackfileWriterOptions {
  readonly pool: WorkerPool;
  readonly codec: Codec;
  readonly mac: MacFunction;
  /** Nanoseconds since 1970, for the footer. */
  readonly timestampNs: bigint;
}

/**
 * One packfile being written: blobs in the order in which they come, then padding, index and
 * footer (format reference, section 8). Calls must follow one another; only those of
 * {@linkcode appendRegion} may overlap.
 *
 * The packfile's id is random. Nothing derives it from the content, and an id that is known before
 * the content lets a packfile stream to a store that wants the name first, and spares a pass of
 * hashing over everything stored. The bytes are authenticated by the envelope's footer and by each
 * blob's own MAC.
 */
export class PackfileWriter {
  /** 32 bytes. */
  readonly id: Uint8Array;
  readonly #writer: ObjectWriter;
  readonly #options: PackfileWriterOptions;
  readonly #footerMac: StreamMac;
  readonly #records: PackfileRecord[] = [];
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #buffered = 0;
  /** Settles when everything so far is written. */
  #written: Promise<void> = Promise.resolve();
  #dataLength = 0;
  #fileLength = 0;
  #disposed = false;

  /**
   * @param id 32 random bytes
   * @param writer the packfile's object in the store; this class closes or aborts it
   */
  constructor(id: Uint8Array, writer: ObjectWriter, options: PackfileWriterOptions) {
    this.id = id;
    this.#writer = writer;
    this.#options = options;
    this.#footerMac = new StreamMac(options.pool, options.mac.parameters);
    this.#gather(encodeEnvelopeHeader(ResourceType.PACKFILE, VERSION_1_0_0));
  }

  /** Length of the blobs so far, in bytes. */
  get dataLength(): number {
    return this.#dataLength;
  }

  /** Length of the whole file, in bytes; final after {@linkcode finish}. */
  get fileLength(): number {
    return this.#fileLength;
  }

  /** What the index lists. */
  get records(): readonly PackfileRecord[] {
    return this.#records;
  }

  /**
   * Appends an encoded blob that lies in shared memory. It has its place when this returns; the
   * region must stay as it is until the promise settles.
   */
  appendRegion(type: number, mac: Uint8Array, data: Region, length: number): Promise<void> {
    this.#record(type, mac, length);
    const bytes = this.#options.pool.kernels.bytes(data, 0, length);
    return allDone(
      this.#flush(),
      this.#footerMac.updateRegion(data, length),
      this.#write(bytes),
    );
  }

  /** Appends an encoded blob. */
  async appendBytes(type: number, mac: Uint8Array, encoded: Uint8Array): Promise<void> {
    this.#record(type, mac, encoded.length);
    await this.#append(encoded);
  }

  /** Ends the packfile and makes it durable. */
  async finish(): Promise<void> {
    const { codec, mac, timestampNs } = this.#options;
    const padding = randomPadding();
    await this.appendBytes(
      ResourceType.RANDOM,
      crypto.getRandomValues(new Uint8Array(32)),
      padding,
    );
    const index = encodePackfileIndex(this.#records);
    const footer = codec.encode(encodePackfileFooter({
      timestampNs,
      count: this.#records.length,
      indexOffset: this.#dataLength,
      indexMac: mac.of(index),
      flags: 0,
    }));
    await this.#append(codec.encode(index));
    await this.#append(footer);
    const footerLength = new Uint8Array(4);
    new DataView(footerLength.buffer).setUint32(0, footer.length, true);
    await this.#append(footerLength);
    await this.#flush();
    const envelopeFooter = this.#footerMac.digest();
    this.#dispose();
    await this.#write(envelopeFooter);
    await this.#writer.close();
  }

  /** Gives the packfile up; idempotent, without effect once finished. */
  async abort(): Promise<void> {
    this.#dispose();
    await this.#writer.abort();
  }

  #record(type: number, mac: Uint8Array, length: number): void {
    this.#records.push({
      type,
      version: VERSION_1_0_0,
      mac,
      offset: this.#dataLength,
      length,
      flags: 0,
    });
    this.#dataLength += length;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let taken = 0; taken < bytes.length;) {
      if (this.#buffered === BUFFER_BYTES) await this.#flush();
      taken += this.#gather(bytes.subarray(taken));
    }
  }

  /** Takes as many bytes as the buffer has room for; returns how many. */
  #gather(bytes: Uint8Array): number {
    const part = bytes.subarray(0, BUFFER_BYTES - this.#buffered);
    this.#buffer.set(part, this.#buffered);
    this.#buffered += part.length;
    return part.length;
  }

  /** Starts to write what is buffered; settles when that and everything before it is written. */
  #flush(): Promise<void> {
    if (this.#buffered === 0) return this.#written;
    const bytes = this.#buffer.slice(0, this.#buffered);
    this.#buffered = 0;
    return allDone(this.#footerMac.updateBytes(bytes), this.#write(bytes));
  }

  /** Writes bytes behind those of earlier calls, which need not be written yet. */
  #write(bytes: Uint8Array): Promise<void> {
    const written = this.#written.then(async () => {
      await this.#writer.write(bytes);
      this.#fileLength += bytes.length;
    });
    this.#written = written;
    return written;
  }

  #dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#footerMac.dispose();
  }
}

/** Waits for all of them; fails as the first one that did. */
async function allDone(...promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === "rejected") throw result.reason;
  }
}

/** Random bytes of a random length, so that the sizes of packfiles tell less about the blobs. */
function randomPadding(): Uint8Array {
  const [extra] = crypto.getRandomValues(new Uint16Array(1));
  return crypto.getRandomValues(
    new Uint8Array(MINIMUM_PADDING_BYTES + extra! % MINIMUM_PADDING_BYTES),
  );
}
