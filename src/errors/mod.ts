/**
 * What everything that fails on purpose has in common: the base class of the errors, the numbers that
 * a failed program ends with, and the plain words for what the runtime throws. A ground layer: it
 * imports nothing. Which errors there are is decided by those who throw them, in their own folders.
 *
 * @module
 */

export {
  EXIT_FAILURE,
  EXIT_HANGUP,
  EXIT_INCOMPLETE,
  EXIT_INTERRUPTED,
  EXIT_SUCCESS,
  EXIT_SUSPICIOUS,
  EXIT_TERMINATED,
} from "./exit_code.ts";
export { messageOf, problemOf } from "./message.ts";
export { hintOf, ToolError, type ToolErrorOptions } from "./tool_error.ts";
