/**
 * The process around a run: its arguments, variables and streams as values that tests replace, the
 * terminal, signals, the rights that are given up, exit codes, the version. Stands at the bottom of the command line and knows no
 * command and no option.
 *
 * @module
 */

export { type CliContext, processContext } from "./context.ts";
export {
  EXIT_CODES,
  EXIT_FAILURE,
  EXIT_HANGUP,
  EXIT_INCOMPLETE,
  EXIT_INTERRUPTED,
  EXIT_STATUS_HELP,
  EXIT_SUCCESS,
  EXIT_SUSPICIOUS,
  EXIT_TERMINATED,
} from "./exit_codes.ts";
export { LATER_VARIABLES, type Right, RIGHTS } from "./rights.ts";
export { redactUrls } from "./redact.ts";
export { handleSignals, InterruptedError } from "./signals.ts";
export { VERSION, VERSION_TEXT } from "./version.ts";
