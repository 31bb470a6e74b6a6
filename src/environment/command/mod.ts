/**
 * Programs that are started: command lines, their input and output as streams, secrets that stay off
 * the command line, and how a child ends. Which program runs where belongs to the environments.
 *
 * @module
 */

export { formatCommand, InvalidCommandError, splitCommand } from "./argv.ts";
export { killRunningCommands } from "./child.ts";
export {
  captureCommand,
  type CaptureCommandOptions,
  type CapturedCommand,
} from "./command_capture.ts";
export { CommandFailedError, type CommandFailure } from "./command_failed_error.ts";
export { type CommandInput, feedCommand, type FeedCommandOptions } from "./command_input.ts";
export { type CommandStream, streamCommand, type StreamCommandOptions } from "./command_stream.ts";
export { checkSecrets, InvalidSecretError, secretInput, withoutVariables } from "./secret_input.ts";
