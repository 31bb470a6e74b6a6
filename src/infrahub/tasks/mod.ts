/**
 * Prefect's runs: which are running, waiting for them, flushing old ones.
 *
 * @module
 */

export { type FlushKind, type FlushOptions, flushRuns, parseFlushArguments } from "./flush.ts";
export {
  type RunningTask,
  waitForRunningTasks,
  type WaitForTasksOptions,
} from "./running_tasks.ts";
