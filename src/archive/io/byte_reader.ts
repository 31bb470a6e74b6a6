import type { ByteStreamReader } from "./transformed.ts";

/** Takes as many bytes from a stream as are asked for, however they arrive. */
export class ByteReader {
  readonly #reader: ByteStreamReader;
  #pending: Uint8Array = new Uint8Array(0);

  constructor(reader: ByteStreamReader) {
    this.#reader = reader;
  }

  /** Exactly as many bytes, or fewer when the stream ends; the array is the caller's. */
  async read(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const result = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      if (this.#pending.length === 0) {
        const { done, value } = await this.#reader.read();
        if (done) return result.subarray(0, filled);
        this.#pending = value;
        continue;
      }
      const part = this.#pending.subarray(0, count - filled);
      result.set(part, filled);
      filled += part.length;
      this.#pending = this.#pending.subarray(part.length);
    }
    return result;
  }
}
