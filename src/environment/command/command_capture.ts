import { Child, type ChildOptions, STDERR_GRACE_MS } from "./child.ts";
import { formatDuration } from "../duration.ts";
import { OutputTail } from "./output_tail.ts";

/** How a command is run to its end. */
export interface CaptureCommandOptions extends ChildOptions {
  /** Longest duration in milliseconds; 0 for no limit. */
  readonly timeoutMs: number;
  /** All of the command's standard input; empty when not given. */
  readonly input?: Uint8Array;
  /**
   * Exit codes that are answers, not failures.
   *
   * @default {[0]}
   */
  readonly acceptedExitCodes?: readonly number[];
}

/** What a command answered. */
export interface CapturedCommand {
  /** Standard output, without the last line break. */
  readonly stdout: string;
  readonly exitCode: number;
}

/** More than this is no answer but data, and must be streamed. */
const STDOUT_BYTES = 64 * 1024 * 1024;

/**
 * Runs a command to its end and keeps its standard output.
 *
 * @throws {CommandFailedError} when it cannot be started, fails, takes too long or writes too much
 */
export async function captureCommand(options: CaptureCommandOptions): Promise<CapturedCommand> {
  const { timeoutMs, acceptedExitCodes = [0] } = options;
  const child = new Child(options, options.input === undefined ? "null" : "piped");
  const supplied = options.input && child.supply(options.input);
  const stdout = new OutputTail(child.stdout, STDOUT_BYTES);
  const timer = timeoutMs > 0
    ? setTimeout(
      () => child.fail(child.error(`did not end within ${formatDuration(timeoutMs)}`)),
      timeoutMs,
    )
    : undefined;
  try {
    const status = await child.exited;
    if (status.signal && !child.hasFailed) child.fail(await child.exitError(status));
    if (!child.hasFailed && !acceptedExitCodes.includes(status.code)) {
      const error = await child.exitError(status);
      // What it has started must not go on behind the back of a failure.
      child.signal("SIGKILL");
      throw error;
    }
    // As in a shell's `$(…)`, the answer is complete when nobody can write to it any more.
    await Promise.race([stdout.ended, child.failed]);
    await child.throwFailure();
    await child.stderr.settled(STDERR_GRACE_MS);
    if (stdout.isCut) throw child.error(`wrote more than ${STDOUT_BYTES} bytes`);
    return { stdout: stdout.text().replace(/\r?\n$/, ""), exitCode: status.code };
  } finally {
    clearTimeout(timer);
    await stdout.close();
    await child.release();
    await supplied;
  }
}
