/**
 * What a run tells while it works and when it ends: log, progress, metrics, systemd's notifications,
 * results. Nothing here decides what is done, and no option is known here.
 *
 * @module
 */

export { configureLog, logError } from "./log.ts";
export type { ComponentMetrics } from "./metrics.ts";
export {
  type CommandResult,
  type KnownFacts,
  printResult,
  type ResultOutput,
  roundSeconds,
  writeJson,
} from "./result.ts";
export { RunMonitor } from "./run_monitor.ts";
