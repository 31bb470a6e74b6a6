import { StoreError } from "../errors.ts";
import { asStore } from "./_s3_errors.ts";
import { copyShared } from "./_shared_copy.ts";
import type { S3Bucket, S3OpenUpload, S3Part } from "../../s3/mod.ts";
import type { ObjectWriter } from "./store.ts";

/** Length of all parts but the last; S3 wants at least 5 MiB, and at most 10,000 of them. */
const PART_BYTES = 5 * 1024 * 1024;

/** Parts of all writers together that are on their way at the same time. */
const PARTS_UNDER_WAY = 4;

/**
 * What the writers of a store share: it bounds the memory of all of them to one part each, and
 * those under way.
 */
export class PartPool {
  readonly #free: Uint8Array[] = [];
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  /** A buffer for a part; its content is undefined. */
  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(PART_BYTES);
  }

  /** Gives a buffer back. */
  give(buffer: Uint8Array): void {
    if (this.#free.length < PARTS_UNDER_WAY) this.#free.push(buffer);
  }

  /** Waits until another part may be sent. */
  async start(): Promise<void> {
    if (this.#underWay < PARTS_UNDER_WAY) {
      this.#underWay++;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** A part has been sent, or given up. */
  end(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#underWay--;
    else next();
  }
}

/**
 * Writes an object of unknown length: in parts that are sent while the next one is filled, or in
 * one request when it is small. Nothing is visible before the last request succeeds.
 */
export class S3Writer implements ObjectWriter {
  readonly #bucket: S3Bucket;
  readonly #pool: PartPool;
  readonly #what: string;
  readonly #key: string;
  readonly #replaces: boolean;
  readonly #aborted = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  readonly #parts: S3Part[] = [];
  #upload: Promise<S3OpenUpload> | undefined;
  #buffer: Uint8Array | undefined;
  #filled = 0;
  #started = 0;
  #failure: { readonly error: unknown } | undefined;
  #state: "open" | "closed" | "aborted" = "open";

  /**
   * @param what beginning of error messages
   * @param replaces whether an object of that name may be there
   */
  constructor(
    bucket: S3Bucket,
    pool: PartPool,
    { what, key, replaces }: { what: string; key: string; replaces: boolean },
  ) {
    this.#bucket = bucket;
    this.#pool = pool;
    this.#what = what;
    this.#key = key;
    this.#replaces = replaces;
  }

  write(bytes: Uint8Array): Promise<void> {
    return asStore(() => this.#write(bytes));
  }

  close(): Promise<void> {
    return asStore(() => this.#close());
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#requireOpen();
    for (let taken = 0; taken < bytes.length;) {
      this.#buffer ??= this.#pool.take();
      const part = bytes.subarray(taken, taken + this.#buffer.length - this.#filled);
      copyShared(part, this.#buffer, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === this.#buffer.length) await this.#sendPart();
    }
  }

  async #close(): Promise<void> {
    this.#requireOpen();
    try {
      if (this.#upload === undefined) {
        const bytes = (this.#buffer ?? new Uint8Array()).subarray(0, this.#filled);
        await this.#bucket.objects.put(this.#what, this.#key, bytes, this.#replaces);
      } else {
        if (this.#filled > 0) await this.#sendPart();
        await Promise.all(this.#sending);
        if (this.#failure !== undefined) throw this.#failure.error;
        const parts = this.#parts.toSorted((a, b) => a.number - b.number);
        await this.#bucket.uploads.complete(this.#what, await this.#upload, parts);
      }
      this.#state = "closed";
      this.#release();
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "aborted";
    this.#aborted.abort(new StoreError(`${this.#what}: given up`));
    await Promise.all(this.#sending);
    this.#release();
    if (this.#upload === undefined) return;
    try {
      await this.#bucket.uploads.abort(this.#what, await this.#upload);
    } catch {
      // Best effort: nobody sees the parts, and removeAbandoned() or the service removes them later.
    }
  }

  #requireOpen(): void {
    if (this.#state !== "open") throw new StoreError(`${this.#what}: the writer has ended`);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Sends the buffer as a part, beside others; waits only while too many are under way. */
  async #sendPart(): Promise<void> {
    const buffer = this.#buffer!;
    const bytes = buffer.subarray(0, this.#filled);
    const number = ++this.#started;
    this.#buffer = undefined;
    this.#filled = 0;
    await this.#pool.start();
    const sending = this.#send(number, bytes)
      .catch((error) => void (this.#failure ??= { error }))
      .finally(() => {
        this.#pool.end();
        this.#pool.give(buffer);
        this.#sending.delete(sending);
      });
    this.#sending.add(sending);
    this.#requireOpen();
  }

  async #send(number: number, bytes: Uint8Array): Promise<void> {
    this.#upload ??= this.#bucket.uploads.start(this.#what, this.#key, "quick");
    const upload = await this.#upload;
    const { signal } = this.#aborted;
    this.#parts.push(
      await this.#bucket.uploads.sendPart(this.#what, upload, number, bytes, signal),
    );
  }

  #release(): void {
    if (this.#buffer !== undefined) this.#pool.give(this.#buffer);
    this.#buffer = undefined;
  }
}
