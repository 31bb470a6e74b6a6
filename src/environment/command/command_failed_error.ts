import { ToolError } from "../../errors/mod.ts";
import { formatCommand } from "./argv.ts";

/** What is known about a command that failed. */
export interface CommandFailure {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** What happened, such as `exited with code 1`. */
  readonly problem: string;
  /** Exit code, when the command ended by itself. */
  readonly exitCode?: number;
  /** Name of the signal that ended the command, such as `SIGKILL`. */
  readonly signal?: string;
  /** The end of what the command wrote to standard error; empty when nothing. */
  readonly stderrTail?: string;
}

/** A command could not be started, stalled, died, or exited with a code other than 0. */
export class CommandFailedError extends ToolError {
  /** Exit code of the command, when it ended by itself; `exitCode` is that of this program. */
  readonly commandExitCode: number | undefined;
  /** Name of the signal that ended the command. */
  readonly signal: string | undefined;
  /** The end of what the command wrote to standard error. */
  readonly stderrTail: string;

  constructor(failure: CommandFailure, options?: ErrorOptions) {
    const tail = failure.stderrTail?.trim() ?? "";
    const said = tail === ""
      ? ""
      : tail.includes("\n")
      ? `; stderr:\n${tail}`
      : `; stderr: ${tail}`;
    super(`command ${formatCommand(failure.argv)} ${failure.problem}${said}`, options);
    this.commandExitCode = failure.exitCode;
    this.signal = failure.signal;
    this.stderrTail = tail;
  }
}
