import { createHmac, type Hmac } from "node:crypto";
import { BLAKE3_STATE_BYTES, type Kernels, type Region } from "../../kernels/mod.ts";
import type { HashedPart, MacParameters, WorkerPool } from "../workers/mod.ts";

/** Bytes that a {@linkcode StreamMac} hashes at a time on the calling thread. */
const STAGING_BYTES = 64 * 1024;

/** The repository's keyed hash of bytes that are at hand (format reference, section 5). */
export class MacFunction {
  readonly parameters: MacParameters;
  readonly #kernels: Kernels;

  constructor(kernels: Kernels, parameters: MacParameters) {
    this.#kernels = kernels;
    this.parameters = parameters;
  }

  /** The 32-byte MAC of the parts, one after the other. */
  readonly of = (...parts: readonly Uint8Array[]): Uint8Array => {
    if (this.parameters.algorithm === "BLAKE3") {
      return this.#kernels.blake3(parts, this.parameters.key);
    }
    const hmac = createHmac("sha256", this.parameters.key);
    for (const part of parts) hmac.update(part);
    return new Uint8Array(hmac.digest());
  };
}

/**
 * The repository's keyed hash of a stream. Its parts are hashed on the worker threads, several at
 * once, and joined in order.
 */
export class StreamMac {
  readonly #pool: WorkerPool;
  readonly #parameters: MacParameters;
  readonly #hmac: Hmac | undefined;
  readonly #state: Region | undefined;
  readonly #staging: Region | undefined;
  /** Bytes added so far, and those that a thread is at. */
  #length = 0;
  /** Settles when all of them are joined. */
  #joined: Promise<void> = Promise.resolve();

  constructor(pool: WorkerPool, parameters: MacParameters) {
    this.#pool = pool;
    this.#parameters = parameters;
    if (parameters.algorithm === "SHA256") {
      this.#hmac = createHmac("sha256", parameters.key);
      return;
    }
    this.#state = pool.kernels.allocate(BLAKE3_STATE_BYTES);
    this.#staging = pool.kernels.allocate(STAGING_BYTES);
    pool.kernels.blake3Init(this.#state, parameters.key);
  }

  /**
   * Adds `data[0, length)`, which a thread hashes, behind what was added by earlier calls; these need
   * not be done yet. The region must stay as it is meanwhile.
   */
  updateRegion(data: Region, length: number): Promise<void> {
    const hashed = this.#pool.run({
      operation: "part",
      data,
      length,
      mac: this.#parameters,
      position: this.#length,
    });
    this.#length += length;
    return this.#inOrder(hashed, (part) => this.#join(part, data, length));
  }

  /** Adds bytes on the calling thread, behind what was added by earlier calls. */
  updateBytes(bytes: Uint8Array): Promise<void> {
    this.#length += bytes.length;
    return this.#inOrder(undefined, () => this.#hash(bytes));
  }

  /**
   * Adds `data[0, length)`. All calls of the other methods must be done.
   *
   * @param part what a thread has made of these bytes, for the position where they are added
   */
  join(part: HashedPart, data: Region, length: number): void {
    this.#length += length;
    this.#join(part, data, length);
  }

  /** The 32-byte MAC of everything that was added; nothing can be added afterwards. */
  digest(): Uint8Array {
    return this.#state === undefined
      ? new Uint8Array(this.#hmac!.digest())
      : this.#pool.kernels.blake3Digest(this.#state);
  }

  /** Gives the memory back. Must be called once, when no update is under way. */
  dispose(): void {
    if (this.#state !== undefined) this.#pool.kernels.free(this.#state);
    if (this.#staging !== undefined) this.#pool.kernels.free(this.#staging);
  }

  /** Does what adds something once it is ready, and everything before it is added. */
  #inOrder<T>(ready: Promise<T> | undefined, add: (value: T) => void): Promise<void> {
    const joined = Promise.allSettled([ready, this.#joined]).then(([value, before]) => {
      if (before.status === "rejected") throw before.reason;
      if (value.status === "rejected") throw value.reason;
      add(value.value as T);
    });
    this.#joined = joined;
    return joined;
  }

  #join(part: HashedPart, data: Region, length: number): void {
    const { kernels } = this.#pool;
    if (this.#state === undefined) this.#hmac!.update(kernels.bytes(data, 0, length));
    else kernels.blake3Join(this.#state, part!, data, 0, length);
  }

  #hash(bytes: Uint8Array): void {
    if (this.#state === undefined || this.#staging === undefined) {
      this.#hmac!.update(bytes);
      return;
    }
    const kernels = this.#pool.kernels;
    for (let start = 0; start < bytes.length; start += STAGING_BYTES) {
      const piece = bytes.subarray(start, start + STAGING_BYTES);
      kernels.bytes(this.#staging).set(piece);
      kernels.blake3Update(this.#state, this.#staging, 0, piece.length);
    }
  }
}
