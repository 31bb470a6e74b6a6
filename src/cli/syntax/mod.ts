/**
 * The grammar of the command line: options and their variables, menus, help, examples, completions,
 * mistakes in usage. Knows nothing of what commands do.
 *
 * @module
 */

export { allCommands, applyEnvironment, flagValue, normaliseBooleans } from "./command_line.ts";
export { bashCompletion, fishCompletion, zshCompletion } from "./completion_scripts.ts";
export { defaultCommandOf, setDefaultCommand } from "./default_command.ts";
export { addExamples, examplesOf } from "./examples.ts";
export { actAsMenu, commandPath } from "./menu.ts";
export {
  durationOption,
  environmentOption,
  neo4jEditionOption,
  noWaitOption,
  parseBoolean,
  pathArgument,
  percentArgument,
  streamTimeoutOption,
} from "./options.ts";
export {
  createRootCommand,
  DEFAULT_S3_REGION,
  type GlobalOptions,
  PROGRAM,
  TASK_MANAGER_PROGRAM,
} from "./root_command.ts";
export { UsageError, usageErrorOf } from "./usage_error.ts";
