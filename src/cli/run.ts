import { CommanderError } from "@commander-js/extra-typings";
import { messageOf, type ReportFields } from "../infrahub/mod.ts";
import {
  type CliContext,
  EXIT_FAILURE,
  EXIT_SUCCESS,
  InterruptedError,
  redactUrls,
} from "./process/mod.ts";
import { configureLog, logError } from "./report/mod.ts";
import { createProgram, type Program } from "./program.ts";
import { usageErrorOf } from "./syntax/mod.ts";

/**
 * Runs the program.
 *
 * @param argv the command line without the program's name
 * @returns the exit code; errors have been written
 */
export async function run(argv: readonly string[], context: CliContext): Promise<number> {
  const program = createProgram(context);
  const exitCode = await execute(program, argv, context);
  await program.end(exitCode);
  return exitCode;
}

async function execute(
  program: Program,
  argv: readonly string[],
  context: CliContext,
): Promise<number> {
  try {
    await program.run(argv);
    return program.exitCode();
  } catch (error) {
    program.quiet();
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT_SUCCESS; // help or version, written already
      report(program, context, usageErrorOf(error), { exit_code: EXIT_FAILURE });
      return EXIT_FAILURE;
    }
    const { reason } = context.signal;
    if (reason instanceof InterruptedError) {
      const { exitCode, signal } = reason;
      report(program, context, reason, { exit_code: exitCode, signal });
      return exitCode;
    }
    // Whoever read our output does not want more of it, nor to be told so.
    if (!isBrokenPipe(error)) report(program, context, error, { exit_code: EXIT_FAILURE });
    return EXIT_FAILURE;
  }
}

function report(
  program: Program,
  context: CliContext,
  error: unknown,
  fields: ReportFields,
): void {
  const message = redactUrls(messageOf(error));
  if (program.json()) {
    configureLog(context, { json: true, level: "error" });
    const details = program.debug() ? { stack: redactUrls(Deno.inspect(error)) } : {};
    logError(`Command failed: ${message}`, { ...fields, ...details });
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
