import { CommanderError } from "@commander-js/extra-typings";
import { messageOf } from "../infrahub/mod.ts";
import type { CliContext } from "./context.ts";
import { EXIT_FAILURE, EXIT_SUCCESS } from "./exit_codes.ts";
import { configureLog, logError } from "./log.ts";
import { createProgram, type Program } from "./program.ts";
import { redactUrls } from "./redact.ts";
import { InterruptedError } from "./signals.ts";
import { usageErrorOf } from "./usage_error.ts";

/**
 * Runs the program.
 *
 * @param argv the command line without the program's name
 * @returns the exit code; errors have been written
 */
export async function run(argv: readonly string[], context: CliContext): Promise<number> {
  const program = createProgram(context);
  try {
    await program.run(argv);
    return program.exitCode();
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT_SUCCESS; // help or version, written already
      report(program, context, usageErrorOf(error));
      return EXIT_FAILURE;
    }
    const { reason } = context.signal;
    if (reason instanceof InterruptedError) {
      report(program, context, reason);
      return reason.exitCode;
    }
    // Whoever read our output does not want more of it, nor to be told so.
    if (!isBrokenPipe(error)) report(program, context, error);
    return EXIT_FAILURE;
  }
}

function report(program: Program, context: CliContext, error: unknown): void {
  const message = redactUrls(messageOf(error));
  if (program.json()) {
    configureLog(context, { json: true, level: "error" });
    const details = program.debug() ? { stack: redactUrls(Deno.inspect(error)) } : {};
    logError(`Command failed: ${message}`, details);
    return;
  }
  context.writeError(`Error: ${message}\n`);
  if (program.debug()) context.writeError(`${redactUrls(Deno.inspect(error))}\n`);
}

function isBrokenPipe(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Deno.errors.BrokenPipe) return true;
  }
  return false;
}
