const BACKSPACE = 0x08;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const END_OF_TRANSMISSION = 0x04;
const ERASE_LINE = 0x15;
const DELETE = 0x7f;

const MAXIMUM_BYTES = 4096;

/** A line that is typed without being shown. No string is ever made of it. */
export class SecretLine {
  readonly #bytes = new Uint8Array(MAXIMUM_BYTES);
  #length = 0;

  /**
   * Takes bytes as a terminal gives them that does not edit lines itself.
   *
   * @returns whether the line is complete; what was typed after it is dropped
   */
  take(typed: Uint8Array): boolean {
    for (const byte of typed) {
      switch (byte) {
        case NEWLINE:
        case CARRIAGE_RETURN:
        case END_OF_TRANSMISSION:
          return true;
        case BACKSPACE:
        case DELETE:
          this.#eraseCharacter();
          break;
        case ERASE_LINE:
          this.#length = 0;
          break;
        default:
          if (this.#length < MAXIMUM_BYTES) this.#bytes[this.#length++] = byte;
      }
    }
    return false;
  }

  /** What was typed; the copy in here is wiped. */
  finish(): Uint8Array {
    const line = this.#bytes.slice(0, this.#length);
    this.#bytes.fill(0);
    return line;
  }

  #eraseCharacter(): void {
    if (this.#length === 0) return;
    // A character begins with the last byte that continues none.
    do this.#length--; while (this.#length > 0 && (this.#bytes[this.#length]! & 0xc0) === 0x80);
  }
}

/** A line of an answer that means yes. */
const YES = /^\s*y(es)?\s*$/i;

/**
 * Asks on the terminal whether something is to be done; whatever is not a yes is a no.
 *
 * @returns undefined where nobody can be asked
 * @throws the signal's reason: the key for an interruption works while it waits
 */
export async function confirm(
  question: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) return undefined;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(`${question} [y/N] `));
    // The terminal edits the line, and gives it as a whole.
    const typed = new Uint8Array(MAXIMUM_BYTES);
    const count = await Promise.race([Deno.stdin.read(typed), aborted]);
    return count !== null && YES.test(new TextDecoder().decode(typed.subarray(0, count)));
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Asks on the terminal for something that is not shown while it is typed.
 *
 * @returns undefined where nobody can be asked
 * @throws the signal's reason: the key for an interruption works while it waits
 */
export async function askSecret(
  prompt: string,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) return undefined;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  const line = new SecretLine();
  const typed = new Uint8Array(256);
  Deno.stdin.setRaw(true, { cbreak: true });
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(prompt));
    while (true) {
      const count = await Promise.race([Deno.stdin.read(typed), aborted]);
      if (count === null || line.take(typed.subarray(0, count))) return line.finish();
    }
  } finally {
    typed.fill(0);
    signal.removeEventListener("abort", onAbort);
    Deno.stdin.setRaw(false);
    Deno.stderr.writeSync(new TextEncoder().encode("\n"));
  }
}
