import { CommanderError } from "@commander-js/extra-typings";
import { hintOf, messageOf, ToolError } from "../errors/mod.ts";
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
    if (error instanceof CommanderError && error.exitCode === 0) {
      return EXIT_SUCCESS; // help or version, written already
    }
    const failure = reasonOf(error, context.signal);
    const exitCode = failure instanceof ToolError ? failure.exitCode : EXIT_FAILURE;
    // Whoever read our output does not want more of it, nor to be told so.
    if (!isBrokenPipe(failure)) report(program, context, failure, exitCode);
    return exitCode;
  }
}

/** What the run failed for: where a signal ended it, what was thrown is only a consequence. */
function reasonOf(error: unknown, { reason }: AbortSignal): unknown {
  if (error instanceof CommanderError) return usageErrorOf(error);
  return reason instanceof InterruptedError ? reason : error;
}

function report(
  program: Program,
  context: CliContext,
  error: unknown,
  exitCode: number,
): void {
  const message = redactUrls(messageOf(error));
  const advice = hintOf(error);
  const hint = advice === undefined ? undefined : redactUrls(advice);
  if (program.json()) {
    configureLog(context, { json: true, level: "error" });
    logError(`Command failed: ${message}`, {
      exit_code: exitCode,
      ...(error instanceof InterruptedError ? { signal: error.signal } : {}),
      ...(hint === undefined ? {} : { hint }),
      ...(program.debug() ? { stack: redactUrls(Deno.inspect(error)) } : {}),
    });
    return;
  }
  context.writeError(`Error: ${message}\n`);
  if (hint !== undefined) context.writeError(`Hint: ${hint}\n`);
  if (program.debug()) context.writeError(`${redactUrls(Deno.inspect(error))}\n`);
}

function isBrokenPipe(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Deno.errors.BrokenPipe) return true;
  }
  return false;
}
