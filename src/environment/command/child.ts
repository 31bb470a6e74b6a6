import { messageOf } from "../../errors/mod.ts";
import { CommandFailedError } from "./command_failed_error.ts";
import { OutputTail } from "./output_tail.ts";

/** How a child process is started, and ended. */
export interface ChildOptions {
  /** Program and arguments; no shell is involved. */
  readonly argv: readonly string[];
  /** The command as messages show it, when `argv` wraps it in what nobody needs to read. */
  readonly shownArgv?: readonly string[];
  /** Variables set on top of the inherited environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the command when aborted; its reason is then the error. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds between SIGTERM and SIGKILL.
   *
   * @default {5000}
   */
  readonly killGraceMs?: number;
  /**
   * Ends what the command runs elsewhere (a container), where our signals do not reach. Called at
   * the first failure, before the command itself is ended. Takes bounded time and never throws.
   */
  readonly endRemote?: () => Promise<void>;
}

/** How long a dead command's standard error may stay open (a daemon may hold it for ever). */
export const STDERR_GRACE_MS = 500;

const KILL_GRACE_MS = 5_000;

/** Deno 2.4 types it as a number, later versions as an object. */
export type Timer = ReturnType<typeof setTimeout>;

const running = new Set<Child>();

/** Kills at once whatever is still running: for a process that must exit without waiting. */
export function killRunningCommands(): void {
  for (const child of running) child.signal("SIGKILL");
}

/**
 * A child process in a process group of its own, so that ending it ends its children as well. Its
 * first failure is kept, ends it, and is what the caller is told in the end.
 */
export class Child {
  readonly stdin: WritableStream<Uint8Array> | undefined;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: OutputTail;
  readonly exited: Promise<Deno.CommandStatus>;
  /** Resolves at the first failure; never when there is none. */
  readonly failed: Promise<void>;
  readonly #options: ChildOptions;
  readonly #process: Deno.ChildProcess;
  readonly #failed = Promise.withResolvers<void>();
  #failure: { readonly error: unknown } | undefined;
  #ending: Promise<void> | undefined;
  #hasExited = false;
  #released = false;
  #killTimer: Timer | undefined;

  /**
   * @param stdin `null` for an empty input
   * @throws {CommandFailedError} when the command cannot be started
   */
  constructor(options: ChildOptions, stdin: "null" | "piped") {
    options.signal?.throwIfAborted();
    this.#options = options;
    this.#process = spawn(options, stdin);
    running.add(this);
    this.failed = this.#failed.promise;
    this.stdin = stdin === "piped" ? this.#process.stdin : undefined;
    this.stdout = this.#process.stdout;
    this.stderr = new OutputTail(this.#process.stderr);
    this.exited = this.#exit();
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Whether there was a failure. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Keeps the first failure, and ends the command. Does nothing once the child is released. */
  fail(error: unknown): void {
    if (this.#failure !== undefined || this.#released) return;
    this.#failure = { error };
    this.#failed.resolve();
    this.#ending = this.#end();
  }

  /** The error of this command, with the end of its standard error. */
  error(problem: string, status?: Deno.CommandStatus): CommandFailedError {
    return new CommandFailedError({
      argv: this.#options.shownArgv ?? this.#options.argv,
      problem,
      stderrTail: this.stderr.text(),
      ...(status?.signal ? { signal: status.signal } : status ? { exitCode: status.code } : {}),
    });
  }

  /** The error of a command that has ended; waits for its last words. */
  async exitError(status: Deno.CommandStatus): Promise<CommandFailedError> {
    await this.stderr.settled(STDERR_GRACE_MS);
    const problem = status.signal
      ? `was ended by signal ${status.signal}`
      : `exited with code ${status.code}`;
    return this.error(problem, status);
  }

  /**
   * Writes all of the input and closes it. A command that ends without reading it is no error
   * here: its exit code tells more.
   */
  async supply(bytes: Uint8Array): Promise<void> {
    const writer = this.stdin?.getWriter();
    try {
      await writer?.write(bytes);
      await writer?.close();
    } catch {
      // See above: the command has closed its input.
    }
  }

  /** Waits until everything that was started to end the command is done, then throws its failure. */
  async throwFailure(): Promise<void> {
    await this.#ending;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Lets go of everything; to be called once, when the command has ended. */
  async release(): Promise<void> {
    this.#released = true;
    clearTimeout(this.#killTimer);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    running.delete(this);
    await this.stderr.close();
  }

  /** Sends a signal to the whole group. */
  signal(signal: Deno.Signal): void {
    try {
      Deno.kill(-this.#process.pid, signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) return; // nobody is left in the group
      try {
        this.#process.kill(signal);
      } catch {
        // It has ended in the meantime.
      }
    }
  }

  readonly #onAbort = () => this.fail(this.#options.signal?.reason);

  async #exit(): Promise<Deno.CommandStatus> {
    const status = await this.#process.status;
    this.#hasExited = true;
    clearTimeout(this.#killTimer);
    // The group may outlive its leader, and hold the pipes open.
    if (this.#failure !== undefined) this.signal("SIGKILL");
    return status;
  }

  async #end(): Promise<void> {
    // First what runs elsewhere, while the input that we feed is still open: ended from here, it
    // would see the end of its input, and might take half of it for all of it.
    await this.#options.endRemote?.();
    if (this.#hasExited) {
      this.signal("SIGKILL");
      return;
    }
    this.signal("SIGTERM");
    this.#killTimer = setTimeout(
      () => this.signal("SIGKILL"),
      this.#options.killGraceMs ?? KILL_GRACE_MS,
    );
  }
}

function spawn(options: ChildOptions, stdin: "null" | "piped"): Deno.ChildProcess {
  const [program = "", ...args] = options.argv;
  try {
    return new Deno.Command(program, {
      args,
      stdin,
      stdout: "piped",
      stderr: "piped",
      detached: true,
      ...(options.env ? { env: { ...options.env } } : {}),
    }).spawn();
  } catch (error) {
    throw new CommandFailedError({
      argv: options.shownArgv ?? options.argv,
      problem: `cannot be started: ${startProblem(error)}`,
    }, { cause: error });
  }
}

function startProblem(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "program not found";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotCapable) {
    return "this executable was compiled to start other programs only";
  }
  return messageOf(error);
}
