import { ToolError } from "../../errors/mod.ts";
import { DamagedDumpError } from "../errors.ts";

/**
 * What a parser asks for next: so many bytes to look at, or to pass over; whether there is another
 * byte at all; or to be woken at the end.
 */
export type Request =
  | { readonly kind: "take"; readonly length: number; readonly what: string }
  | { readonly kind: "skip"; readonly length: number; readonly what: string }
  | { readonly kind: "more" }
  | { readonly kind: "rest" };

/**
 * A parser of bytes that arrive piece by piece, written as if they were all there: it yields what
 * it wants. `take` is answered with the bytes, valid until the next request; `more` with one byte
 * (not taken) or with nothing at the end; `skip` and `rest` with nothing.
 */
export type ByteParser<Result> = Generator<Request, Result, Uint8Array>;

const NOTHING = new Uint8Array(0);

/** Feeds a {@linkcode ByteParser}. */
export class ByteFeeder<Result> {
  readonly #parser: ByteParser<Result>;
  /** How messages call the dump. */
  readonly #what: string;
  #request: Request | undefined;
  #result: { readonly value: Result } | undefined;
  /** Bytes of a `take` that came in pieces; as long as requested. */
  #partial = NOTHING;
  #filled = 0;
  /** Bytes that a `skip` still has to pass over. */
  #toSkip = 0;
  #position = 0;

  constructor(what: string, parser: ByteParser<Result>) {
    this.#what = what;
    this.#parser = parser;
    this.#advance(NOTHING);
  }

  observe(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.byteLength) {
      const request = this.#request;
      if (request === undefined) {
        throw this.error("has bytes after its end", this.#position + at);
      }
      const available = bytes.byteLength - at;
      if (request.kind === "skip") {
        const count = Math.min(available, this.#toSkip);
        this.#toSkip -= count;
        at += count;
        if (this.#toSkip === 0) this.#step(NOTHING, at);
      } else if (request.kind === "rest") {
        break;
      } else if (request.kind === "more") {
        this.#step(bytes.subarray(at, at + 1), at);
      } else if (this.#filled === 0 && available >= request.length) {
        const taken = bytes.subarray(at, at + request.length);
        at += request.length;
        this.#step(taken, at);
      } else {
        if (this.#filled === 0) this.#partial = new Uint8Array(request.length);
        const count = Math.min(available, request.length - this.#filled);
        this.#partial.set(bytes.subarray(at, at + count), this.#filled);
        this.#filled += count;
        at += count;
        if (this.#filled === request.length) {
          this.#filled = 0;
          this.#step(this.#partial, at);
        }
      }
    }
    this.#position += bytes.byteLength;
  }

  /** @throws {DamagedDumpError} when the parser is not at an end */
  finish(): Result {
    if (this.#position === 0) throw new DamagedDumpError(`${this.#what} is empty`);
    while (this.#request?.kind === "more" || this.#request?.kind === "rest") {
      this.#step(NOTHING, 0);
    }
    if (this.#result === undefined) {
      const request = this.#request;
      const where = request !== undefined && "what" in request ? request.what : "its end";
      throw this.error(`is cut off inside ${where}`, this.#position);
    }
    return this.#result.value;
  }

  error(problem: string, position: number): DamagedDumpError {
    return new DamagedDumpError(`${this.#what} ${problem} (at byte ${position})`);
  }

  #step(answer: Uint8Array, at: number): void {
    try {
      this.#advance(answer);
    } catch (error) {
      if (!(error instanceof ParseProblem)) throw error;
      throw this.error(error.message, this.#position + at);
    }
  }

  #advance(answer: Uint8Array): void {
    let next = this.#parser.next(answer);
    // Nothing to wait for.
    while (!next.done && "length" in next.value && next.value.length === 0) {
      next = this.#parser.next(NOTHING);
    }
    if (next.done) {
      this.#request = undefined;
      this.#result = { value: next.value };
      return;
    }
    this.#request = next.value;
    if (next.value.kind === "skip") this.#toSkip = next.value.length;
  }
}

/** What a parser throws; its feeder adds which dump it is, and where. */
export class ParseProblem extends ToolError {}
