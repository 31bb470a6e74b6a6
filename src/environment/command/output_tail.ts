/** How much of the end of standard error is kept, in bytes. */
const TAIL_BYTES = 4096;

/** Reads a stream to its end, so that its writer never blocks, and keeps the last bytes of it. */
export class OutputTail {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #limit: number;
  readonly #chunks: Uint8Array[] = [];
  #kept = 0;
  #cut = false;
  /** Resolves when the stream has ended, or is read no more. */
  readonly ended: Promise<void>;

  /** @param limit how many bytes of the end are kept */
  constructor(stream: ReadableStream<Uint8Array>, limit: number = TAIL_BYTES) {
    this.#reader = stream.getReader();
    this.#limit = limit;
    this.ended = this.#drain();
  }

  /** Whether more was written than is kept. */
  get isCut(): boolean {
    return this.#cut;
  }

  /** The end of what was written, as text. */
  text(): string {
    const joined = new Uint8Array(this.#kept);
    let at = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    return (this.#cut ? "…" : "") + new TextDecoder().decode(joined);
  }

  /** Resolves when the stream has ended, or after `limitMs` milliseconds at the latest. */
  async settled(limitMs: number): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const timer = setTimeout(limit.resolve, limitMs);
    await Promise.race([this.ended, limit.promise]);
    clearTimeout(timer);
  }

  /** Stops reading. */
  async close(): Promise<void> {
    // A stream that failed has nothing left to cancel.
    await this.#reader.cancel().catch(() => {});
    await this.ended;
  }

  async #drain(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) return;
        this.#keep(value);
      }
    } catch {
      // A pipe fails to be read only when it is given up: the command's exit code tells the rest.
    }
  }

  #keep(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#kept += bytes.length;
    for (let first = this.#chunks[0]; first && this.#kept > this.#limit; first = this.#chunks[0]) {
      const excess = this.#kept - this.#limit;
      this.#cut = true;
      if (first.length > excess) this.#chunks[0] = first.slice(excess);
      else this.#chunks.shift();
      this.#kept -= Math.min(first.length, excess);
    }
  }
}
