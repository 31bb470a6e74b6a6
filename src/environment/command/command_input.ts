import { Child, type ChildOptions, STDERR_GRACE_MS, type Timer } from "./child.ts";
import type { CommandFailedError } from "./command_failed_error.ts";
import { formatDuration } from "../duration.ts";
import { OutputTail } from "./output_tail.ts";

/** A running command that reads its standard input from us. */
export interface CommandInput {
  /**
   * Hands bytes to the command; they may be reused once this resolves.
   *
   * @throws {CommandFailedError} when the command has ended, or takes nothing for too long
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Ends the input and waits for the command.
   *
   * @returns what the command wrote to its standard output
   * @throws {CommandFailedError} when it did not exit with 0
   */
  close(): Promise<string>;
  /** Ends the command without ending its input properly. Idempotent; never throws. */
  abort(reason: unknown): Promise<void>;
}

/** How a command that reads its standard input from us is run. */
export interface FeedCommandOptions extends ChildOptions {
  /** Longest wait in milliseconds for bytes to be taken; 0 for no limit. */
  readonly stallTimeoutMs: number;
  /** What stands in the input before the data. */
  readonly input?: Uint8Array;
}

/** What is handed over at once, so that a slow command is told from one that takes nothing. */
const WRITE_BYTES = 64 * 1024;
/** What is kept of standard output. */
const STDOUT_BYTES = 64 * 1024;
/** How long a command that has closed its input may take to say why. */
const LAST_WORDS_MS = 5_000;

/**
 * Starts a command and feeds its standard input.
 *
 * Hand over the bytes, then await `close`, and only then take them for received. Of the command's
 * standard output, the last 64 KiB are kept.
 *
 * @throws {CommandFailedError} when the command cannot be started
 */
export function feedCommand(options: FeedCommandOptions): CommandInput {
  return new FedCommand(options);
}

class FedCommand implements CommandInput {
  readonly #stallTimeoutMs: number;
  readonly #child: Child;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: OutputTail;
  readonly #finished: Promise<string>;
  /** What is written before the caller's first bytes. */
  readonly #prologue: Uint8Array | undefined;
  #prologueWritten: Promise<void> | undefined;
  #wakeWriter: (() => void) | undefined;
  #endedEarly: CommandFailedError | undefined;
  #closing: Promise<string> | undefined;

  constructor(options: FeedCommandOptions) {
    this.#stallTimeoutMs = options.stallTimeoutMs;
    this.#prologue = options.input;
    this.#child = new Child(options, "piped");
    if (this.#child.stdin === undefined) throw new TypeError("standard input is not a pipe");
    this.#writer = this.#child.stdin.getWriter();
    // Its failure is seen by the next write; nobody awaits this promise.
    this.#writer.closed.catch(() => {});
    this.#stdout = new OutputTail(this.#child.stdout, STDOUT_BYTES);
    this.#finished = this.#run();
    // Told by the next write or by close, whichever comes.
    this.#finished.catch(() => {});
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#closing) throw new TypeError("the command's input is closed");
    await this.#writePrologue();
    await this.#writeAll(bytes);
  }

  close(): Promise<string> {
    return this.#closing ??= this.#close();
  }

  async abort(reason: unknown): Promise<void> {
    this.#child.fail(reason ?? new DOMException("the input was given up", "AbortError"));
    await this.#finished.catch(() => {/* the reason is the caller's own */});
  }

  async #close(): Promise<string> {
    await this.#writePrologue();
    if (!this.#child.hasFailed) {
      await this.#writer.close().catch(() => {/* the command's exit code tells why */});
    }
    const output = await this.#finished;
    if (this.#endedEarly) throw this.#endedEarly;
    return output;
  }

  #writePrologue(): Promise<void> {
    return this.#prologueWritten ??= this.#writeAll(this.#prologue ?? new Uint8Array(0));
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
      await this.#writeSome(bytes.subarray(at, at + WRITE_BYTES));
    }
  }

  async #writeSome(bytes: Uint8Array): Promise<void> {
    const child = this.#child;
    if (this.#endedEarly) throw this.#endedEarly;
    if (child.hasFailed) await this.#finished;
    let taken = false;
    const settled = Promise.withResolvers<void>();
    // A process that left the command's group may hold the pipe and never read it: then only the
    // end of the command wakes us.
    this.#wakeWriter = settled.resolve;
    const timer = this.#afterStall();
    this.#writer.write(bytes).then(() => {
      taken = true;
      settled.resolve();
    }, settled.resolve);
    await settled.promise;
    clearTimeout(timer);
    this.#wakeWriter = undefined;
    if (taken && !child.hasFailed) return;
    await this.#throwRefusal();
  }

  /** Throws what became of a command that does not take its input any more. */
  async #throwRefusal(): Promise<never> {
    const child = this.#child;
    const problem = "before the end of its input";
    if (!child.hasFailed) {
      const limit = Promise.withResolvers<undefined>();
      const timer = setTimeout(() => limit.resolve(undefined), LAST_WORDS_MS);
      const status = await Promise.race([child.exited, limit.promise]);
      clearTimeout(timer);
      if (status === undefined) child.fail(child.error(`stopped reading ${problem}`));
      else if (status.success) {
        await child.stderr.settled(STDERR_GRACE_MS);
        this.#endedEarly = child.error(`exited with code 0 ${problem}`, status);
        throw this.#endedEarly;
      }
    }
    await this.#finished;
    throw child.error(`stopped reading ${problem}`);
  }

  async #run(): Promise<string> {
    const child = this.#child;
    try {
      const status = await child.exited;
      if (!status.success && !child.hasFailed) child.fail(await child.exitError(status));
      if (!child.hasFailed) await this.#stdout.settled(LAST_WORDS_MS);
      await child.stderr.settled(STDERR_GRACE_MS);
      await child.throwFailure();
      return this.#stdout.text().replace(/\r?\n$/, "");
    } finally {
      await this.#stdout.close();
      await child.release();
      this.#wakeWriter?.();
      // Not awaited: it waits for a write that may never end, see there.
      this.#writer.abort().catch(() => {/* closed already */});
    }
  }

  #afterStall(): Timer | undefined {
    if (this.#stallTimeoutMs <= 0) return undefined;
    return setTimeout(() => {
      const limit = formatDuration(this.#stallTimeoutMs);
      this.#child.fail(
        this.#child.error(`failed: stream idle timeout after ${limit} with no data taken`),
      );
    }, this.#stallTimeoutMs);
  }
}
