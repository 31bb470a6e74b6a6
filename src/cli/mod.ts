/**
 * The command line: commands, options with their variables, logs, results and exit codes.
 *
 * `process` is the world around a run, `syntax` the grammar of the command line, `report` what is told,
 * `session` what a command has at hand, `commands` a file or folder per command; `program.ts` puts them
 * together and `run.ts` runs it. Nothing else in the program prints, reads the environment or ends the
 * process, and nothing here knows how a backup is made. Results go to standard output, everything else
 * to standard error.
 *
 * @module
 */

export {
  type CliContext,
  EXIT_FAILURE,
  EXIT_INTERRUPTED,
  EXIT_SUCCESS,
  EXIT_SUSPICIOUS,
  EXIT_TERMINATED,
  handleSignals,
  InterruptedError,
  processContext,
  VERSION,
} from "./process/mod.ts";
export { run } from "./run.ts";
