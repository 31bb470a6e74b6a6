/**
 * The runs of Prefect, the task manager: which are running, waiting for them, flushing old ones. They
 * are asked for in the task worker, through Prefect's own client; its database is looked at only when
 * the one and the other have been stopped.
 *
 * @module
 */

export { tellCutOffTasks } from "./cut_off_tasks.ts";
export { type FlushKind, flushRuns, NO_SERVER_OF_ITS_OWN, parseFlushArguments } from "./flush.ts";
export { waitForRunningTasks } from "./running_tasks.ts";
