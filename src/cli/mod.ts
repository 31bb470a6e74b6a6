/**
 * The command line: commands, options with their variables, logs, results and exit codes.
 *
 * One file per command. Commands parse, call `src/infrahub`, and print; nothing else in the program
 * prints, reads the environment or ends the process. Results go to standard output, everything else
 * to standard error.
 *
 * @module
 */

export { type CliContext, processContext } from "./process/mod.ts";
export {
  EXIT_FAILURE,
  EXIT_INTERRUPTED,
  EXIT_SUCCESS,
  EXIT_SUSPICIOUS,
  EXIT_TERMINATED,
} from "./process/mod.ts";
export { run } from "./run.ts";
export { handleSignals, InterruptedError } from "./process/mod.ts";
export { VERSION } from "./process/mod.ts";
