/** Random numbers from a seed: the same seed gives the same numbers on every machine. */
export class Random {
  #state: number;

  /** @param parts any whole numbers; each set of them starts a sequence of its own */
  constructor(...parts: number[]) {
    this.#state = 0x9e3779b9;
    for (const part of parts) {
      this.#state = (this.#state ^ part) | 0;
      this.#state = this.next();
    }
  }

  /** The next number, 0 to 2^32 - 1 (the mulberry32 generator). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A number from 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor((this.next() / 4294967296) * limit);
  }

  /** One of the values. */
  pick<T>(values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] ?? values[0];
  }

  /** `digits` (at most 8) hexadecimal digits. */
  hex(digits: number): string {
    return this.next().toString(16).padStart(8, "0").slice(0, digits);
  }

  /** A version 4 UUID. */
  uuid(): string {
    return `${this.hex(8)}-${this.hex(4)}-4${this.hex(3)}-a${this.hex(3)}-${this.hex(4)}` +
      this.hex(8);
  }
}
