/**
 * Where commands run, and how their output becomes a stream.
 *
 * The contract is {@linkcode CommandStream}: bytes of standard output, and a promise that tells
 * whether the command succeeded. What a dump is, and where it is stored, is not known here.
 *
 * @module
 */

export { type CommandStream, killRunningCommands, streamCommand } from "./command_stream.ts";
export type { StreamCommandOptions } from "./command_stream.ts";
export { CommandFailedError, type CommandFailure } from "./command_failed_error.ts";
export { formatCommand, InvalidCommandError, splitCommand } from "./argv.ts";
export { formatDuration, InvalidDurationError, parseDuration } from "./duration.ts";
