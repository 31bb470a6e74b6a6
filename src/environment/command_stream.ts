import { CommandFailedError } from "./command_failed_error.ts";
import { formatDuration } from "./duration.ts";
import { OutputTail } from "./_output_tail.ts";

/** How a command is run. */
export interface StreamCommandOptions {
  /** Program and arguments; no shell is involved. */
  readonly argv: readonly string[];
  /** Variables set on top of the inherited environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Longest wait in milliseconds for the next byte while somebody reads; 0 for no limit. */
  readonly stallTimeoutMs: number;
  /** Ends the command when aborted; its reason is then the error. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds between SIGTERM and SIGKILL.
   *
   * @default {5000}
   */
  readonly killGraceMs?: number;
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
const KILL_GRACE_MS = 5_000;
/** How long a dead command's standard error may stay open (a daemon may hold it for ever). */
const STDERR_GRACE_MS = 500;

/** Deno 2.4 types it as a number, later versions as an object. */
type Timer = ReturnType<typeof setTimeout>;

const running = new Set<RunningCommand>();

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
  options.signal?.throwIfAborted();
  return new RunningCommand(options);
}

/** Kills at once whatever is still running: for a process that must exit without waiting. */
export function killRunningCommands(): void {
  for (const command of running) command.kill();
}

class RunningCommand implements CommandStream {
  readonly stdout: ReadableStream<Uint8Array>;
  readonly finished: Promise<void>;
  readonly #options: StreamCommandOptions;
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #stderr: OutputTail;
  /** Settles at the end of standard output, or when it is given up. */
  readonly #outputEnded = Promise.withResolvers<void>();
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #killTimer: Timer | undefined;

  constructor(options: StreamCommandOptions) {
    this.#options = options;
    this.#child = start(options);
    running.add(this);
    this.#reader = this.#child.stdout.getReader({ mode: "byob" });
    this.#stderr = new OutputTail(this.#child.stderr);
    this.finished = this.#run();
    // Whoever reads stdout sees the error there too and may never look at this promise.
    this.finished.catch(() => {});
    this.stdout = new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: READ_BYTES,
      pull: (controller) => this.#pull(controller),
      cancel: async (reason) => {
        this.#fail(reason ?? new DOMException("reading was given up", "AbortError"));
        await this.finished.catch(() => {/* the reason is the caller's own */});
      },
    });
  }

  kill(): void {
    this.#signal("SIGKILL");
  }

  async #pull(controller: ReadableByteStreamController): Promise<void> {
    const request = controller.byobRequest;
    const target = request?.view;
    const buffer = target
      ? new Uint8Array(target.buffer as ArrayBuffer, target.byteOffset, target.byteLength)
      : new Uint8Array(READ_BYTES);
    // A byte stream pulls only while somebody reads, so that back pressure is never a stall.
    const timer = this.#afterStall(() => {
      const limit = formatDuration(this.#options.stallTimeoutMs);
      return `failed: stream idle timeout after ${limit} with no data`;
    });
    let result: { done: boolean; value?: Uint8Array | undefined } = { done: true };
    try {
      result = await this.#reader.read(buffer);
    } catch (error) {
      this.#fail(error);
    } finally {
      clearTimeout(timer);
    }
    if (!result.done && result.value && this.#failure === undefined) {
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
    const { signal } = this.#options;
    const onAbort = () => this.#fail(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    let exitTimer: Timer | undefined;
    this.#outputEnded.promise.then(() => {
      exitTimer = this.#afterStall(() => "closed its output but did not exit");
    });
    try {
      const status = await this.#child.status;
      clearTimeout(this.#killTimer);
      if (!status.success && this.#failure === undefined) {
        // Give the last words time to arrive before the error is made of them.
        await this.#stderr.settled(STDERR_GRACE_MS);
        this.#fail(this.#error(describe(status), status));
      }
      // The group may outlive its leader, and hold the pipes open.
      if (this.#failure !== undefined) this.#signal("SIGKILL");
      await this.#outputEnded.promise;
      await this.#stderr.settled(STDERR_GRACE_MS);
      if (this.#failure === undefined && this.#bytes === 0) {
        this.#fail(this.#error("produced no output"));
      }
      if (this.#failure !== undefined) throw this.#failure.error;
    } finally {
      clearTimeout(this.#killTimer);
      clearTimeout(exitTimer);
      signal?.removeEventListener("abort", onAbort);
      running.delete(this);
      await this.#stderr.close();
      this.#reader.releaseLock();
      // Already at its end, or already failed: nothing is lost that anybody waits for.
      await this.#child.stdout.cancel().catch(() => {});
    }
  }

  /** Keeps the first failure, ends the command and stops waiting for its output. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#signal("SIGTERM");
    this.#killTimer = setTimeout(
      () => this.#signal("SIGKILL"),
      this.#options.killGraceMs ?? KILL_GRACE_MS,
    );
    // A grandchild may keep the pipe open: the end of output is not worth waiting for any more.
    this.#reader.cancel().catch(() => {/* the stream failed by itself: given up all the same */});
    this.#outputEnded.resolve();
  }

  #afterStall(problem: () => string): Timer | undefined {
    const { stallTimeoutMs } = this.#options;
    if (stallTimeoutMs <= 0 || this.#failure !== undefined) return undefined;
    return setTimeout(() => this.#fail(this.#error(problem())), stallTimeoutMs);
  }

  #error(problem: string, status?: Deno.CommandStatus): CommandFailedError {
    return new CommandFailedError({
      argv: this.#options.argv,
      problem,
      stderrTail: this.#stderr.text(),
      ...(status?.signal ? { signal: status.signal } : status ? { exitCode: status.code } : {}),
    });
  }

  #signal(signal: Deno.Signal): void {
    try {
      Deno.kill(-this.#child.pid, signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) return; // nobody is left in the group
      try {
        this.#child.kill(signal);
      } catch {
        // It has ended in the meantime.
      }
    }
  }
}

function start(options: StreamCommandOptions): Deno.ChildProcess {
  const [program = "", ...args] = options.argv;
  try {
    return new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
      ...(options.env ? { env: { ...options.env } } : {}),
    }).spawn();
  } catch (error) {
    throw new CommandFailedError({
      argv: options.argv,
      problem: `cannot be started: ${startProblem(error)}`,
    }, { cause: error });
  }
}

function startProblem(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "program not found";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return error instanceof Error ? error.message : String(error);
}

function describe(status: Deno.CommandStatus): string {
  return status.signal ? `was ended by signal ${status.signal}` : `exited with code ${status.code}`;
}
