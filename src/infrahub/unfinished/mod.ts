/**
 * What a run that changes a deployment leaves behind when it is killed: a file on this host that says
 * what was under way and what there is to put right, and that vanishes when nothing is left of it. What
 * is put right, and how, belongs to `run`; here is only what is known, and whether the run still lives.
 *
 * @module
 */

export type { Leftover, RunDirection } from "./leftover.ts";
export { describeLeftover } from "./leftover.ts";
export { DeploymentRuns, RunRecord, type UnfinishedRun } from "./run_record.ts";
