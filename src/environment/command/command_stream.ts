import { Child, type ChildOptions, STDERR_GRACE_MS, type Timer } from "./child.ts";
import { formatDuration } from "../duration.ts";

/** How a command is run. */
export interface StreamCommandOptions extends ChildOptions {
  /** Longest wait in milliseconds for the next byte while somebody reads; 0 for no limit. */
  readonly stallTimeoutMs: number;
  /** All of the command's standard input; empty when not given. */
  readonly input?: Uint8Array;
}

/** A running command, seen by who stores its output. */
export interface CommandStream {
  /** Standard output, a byte stream. It never closes normally when the command failed. */
  readonly stdout: ReadableStream<Uint8Array>;
  /** Resolves when the command exited with 0 and all its output was read; rejects otherwise. */
  readonly finished: Promise<void>;
}

/** Read size when the reader brings no buffer of its own; a pipe holds 64 KiB by default. */
const READ_BYTES = 64 * 1024;

/**
 * Starts a command and streams its standard output.
 *
 * The command runs in a process group of its own, so that ending it ends its children as well.
 * Read `stdout` to its end, then await `finished`, and only then take the bytes for complete.
 * Whoever stops reading cancels `stdout` or aborts the signal; either ends the command.
 *
 * @throws {CommandFailedError} when the command cannot be started
 */
export function streamCommand(options: StreamCommandOptions): CommandStream {
  return new RunningCommand(options);
}

class RunningCommand implements CommandStream {
  readonly stdout: ReadableStream<Uint8Array>;
  readonly finished: Promise<void>;
  readonly #stallTimeoutMs: number;
  readonly #child: Child;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #supplied: Promise<void> | undefined;
  /** Settles at the end of standard output, or when it is given up. */
  readonly #outputEnded = Promise.withResolvers<void>();
  #bytes = 0;

  constructor(options: StreamCommandOptions) {
    this.#stallTimeoutMs = options.stallTimeoutMs;
    this.#child = new Child(options, options.input === undefined ? "null" : "piped");
    this.#supplied = options.input && this.#child.supply(options.input);
    this.#reader = this.#child.stdout.getReader({ mode: "byob" });
    this.#child.failed.then(() => {
      // A grandchild may keep the pipe open: the end of output is not worth waiting for any more.
      this.#reader.cancel().catch(() => {/* the stream failed by itself: given up all the same */});
      this.#outputEnded.resolve();
    });
    this.finished = this.#run();
    // Whoever reads stdout sees the error there too and may never look at this promise.
    this.finished.catch(() => {});
    this.stdout = new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: READ_BYTES,
      pull: (controller) => this.#pull(controller),
      cancel: async (reason) => {
        this.#child.fail(reason ?? new DOMException("reading was given up", "AbortError"));
        await this.finished.catch(() => {/* the reason is the caller's own */});
      },
    });
  }

  async #pull(controller: ReadableByteStreamController): Promise<void> {
    const request = controller.byobRequest;
    const target = request?.view;
    const buffer = target
      ? new Uint8Array(target.buffer as ArrayBuffer, target.byteOffset, target.byteLength)
      : new Uint8Array(READ_BYTES);
    // A byte stream pulls only while somebody reads, so that back pressure is never a stall.
    const timer = this.#afterStall(() => {
      const limit = formatDuration(this.#stallTimeoutMs);
      return `failed: stream idle timeout after ${limit} with no data`;
    });
    let result: { done: boolean; value?: Uint8Array | undefined } = { done: true };
    try {
      result = await this.#reader.read(buffer);
    } catch (error) {
      this.#child.fail(error);
    } finally {
      clearTimeout(timer);
    }
    if (!result.done && result.value && !this.#child.hasFailed) {
      this.#bytes += result.value.byteLength;
      if (request) request.respondWithNewView(result.value);
      else controller.enqueue(result.value);
      return;
    }
    this.#outputEnded.resolve();
    await this.finished;
    controller.close();
    // A pending request into the caller's buffer is answered with its empty remainder.
    if (result.value) request?.respondWithNewView(result.value);
  }

  async #run(): Promise<void> {
    const child = this.#child;
    let exitTimer: Timer | undefined;
    this.#outputEnded.promise.then(() => {
      exitTimer = this.#afterStall(() => "closed its output but did not exit");
    });
    try {
      const status = await child.exited;
      if (!status.success && !child.hasFailed) child.fail(await child.exitError(status));
      await this.#outputEnded.promise;
      await child.stderr.settled(STDERR_GRACE_MS);
      if (this.#bytes === 0) child.fail(child.error("produced no output"));
      await child.throwFailure();
    } finally {
      clearTimeout(exitTimer);
      await child.release();
      this.#reader.releaseLock();
      // Already at its end, or already failed: nothing is lost that anybody waits for.
      await child.stdout.cancel().catch(() => {});
      await this.#supplied;
    }
  }

  #afterStall(problem: () => string): Timer | undefined {
    if (this.#stallTimeoutMs <= 0 || this.#child.hasFailed) return undefined;
    return setTimeout(() => this.#child.fail(this.#child.error(problem())), this.#stallTimeoutMs);
  }
}
