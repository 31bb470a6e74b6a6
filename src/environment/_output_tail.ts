/** How much of the end is kept, in bytes. */
const TAIL_BYTES = 4096;

/** Reads a stream to its end, so that its writer never blocks, and keeps the last bytes of it. */
export class OutputTail {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #ended: Promise<void>;
  #tail: Uint8Array = new Uint8Array(0);
  #cut = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.#ended = this.#drain();
  }

  /** The end of what was written, as text. */
  text(): string {
    return (this.#cut ? "…" : "") + new TextDecoder().decode(this.#tail);
  }

  /** Resolves when the stream has ended, or after `limitMs` milliseconds at the latest. */
  async settled(limitMs: number): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const timer = setTimeout(limit.resolve, limitMs);
    await Promise.race([this.#ended, limit.promise]);
    clearTimeout(timer);
  }

  /** Stops reading. */
  async close(): Promise<void> {
    // A stream that failed has nothing left to cancel.
    await this.#reader.cancel().catch(() => {});
    await this.#ended;
  }

  async #drain(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) return;
        this.#keep(value);
      }
    } catch {
      // Standard error serves messages only: losing it must not fail the command.
    }
  }

  #keep(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#tail.length + bytes.length);
    joined.set(this.#tail);
    joined.set(bytes, this.#tail.length);
    this.#cut ||= joined.length > TAIL_BYTES;
    this.#tail = joined.slice(-TAIL_BYTES);
  }
}
