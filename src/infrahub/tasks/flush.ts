import { messageOf } from "../../errors/mod.ts";
import { FLUSH_FLOW_RUNS_SCRIPT, FLUSH_STALE_RUNS_SCRIPT } from "./_task_scripts.ts";
import { isNoSuchCommand, runWorkerScript } from "./_worker_script.ts";
import { type Deployment, DeploymentError, TASK_WORKER } from "../deployment/mod.ts";
import { InvalidInputError } from "../errors.ts";
import { findPageLimit, MAX_PAGE_SIZE } from "./page_size.ts";

/** What is flushed: flow runs that have ended, or such as hang. */
export type FlushKind = "flow-runs" | "stale-runs";

/** How much is flushed. */
export interface FlushOptions {
  /** Runs younger than this stay. */
  readonly daysToKeep: number;
  /** How many are read at once. */
  readonly batchSize: number;
}

interface Kind {
  readonly defaultDays: number;
  readonly script: string;
  readonly begin: (days: number, batch: number) => string;
  readonly end: string;
}

const KINDS: Readonly<Record<FlushKind, Kind>> = {
  "flow-runs": {
    defaultDays: 30,
    script: FLUSH_FLOW_RUNS_SCRIPT,
    begin: (days, batch) =>
      `Flushing Prefect flow runs older than ${days} days (batch size ${batch})...`,
    end: "Flow runs cleanup completed",
  },
  "stale-runs": {
    defaultDays: 2,
    script: FLUSH_STALE_RUNS_SCRIPT,
    begin: (days, batch) =>
      `Flushing stale Prefect flow runs older than ${days} days (batch size ${batch})...`,
    end: "Stale flow runs cleanup completed",
  },
};

/**
 * Without the address of the task manager Prefect would start a server of its own, on a database of
 * its own or on the live one, flush that, and succeed. It has two names for the setting, of which
 * each version knows one at least. For every command that talks to the task manager.
 */
export const NO_SERVER_OF_ITS_OWN = {
  PREFECT_SERVER_EPHEMERAL_ENABLED: "false",
  PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: "false",
};

/**
 * Reads the arguments of `flush`: days to keep, batch size. Negative days and a batch of 0 or less
 * stand for the defaults.
 *
 * @throws {InvalidInputError} with Go's wording when one is no integer
 */
export function parseFlushArguments(
  kind: FlushKind,
  [days, batch]: readonly string[],
): FlushOptions {
  const daysToKeep = days === undefined ? -1 : parseInteger(days);
  const batchSize = batch === undefined ? 0 : parseInteger(batch);
  return {
    daysToKeep: daysToKeep < 0 ? KINDS[kind].defaultDays : daysToKeep,
    batchSize: batchSize <= 0 ? MAX_PAGE_SIZE : batchSize,
  };
}

/**
 * Has the task manager forget old runs.
 *
 * @returns what the command said
 * @throws {DeploymentError} when it fails
 */
export async function flushRuns(
  deployment: Deployment,
  kind: FlushKind,
  { daysToKeep, batchSize }: FlushOptions,
): Promise<string> {
  const { environment, reporter, signal } = deployment;
  const { script, begin, end } = KINDS[kind];
  const limit = await findPageLimit(deployment) ?? batchSize;
  if (batchSize > limit) {
    reporter.warn(`Batch size ${batchSize} is more than the task manager allows; using ${limit}`);
  }
  const batch = Math.min(batchSize, limit);
  reporter.info(begin(daysToKeep, batch));
  const argv = [
    "infrahub",
    "tasks",
    "flush",
    kind,
    "--days-to-keep",
    String(daysToKeep),
    "--batch-size",
    String(batch),
  ];
  let output: string;
  try {
    // It may take as long as there are runs.
    output = await environment.run(TASK_WORKER, argv, {
      env: NO_SERVER_OF_ITS_OWN,
      signal,
      timeoutMs: 0,
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!isNoSuchCommand(error)) throw failed(argv, error);
    reporter.info("Executing script inside container...");
    try {
      output = await runWorkerScript(
        deployment,
        script,
        [String(daysToKeep), String(batch)],
        NO_SERVER_OF_ITS_OWN,
        0,
      );
    } catch (scriptError) {
      signal.throwIfAborted();
      throw failed(["script"], scriptError);
    }
  }
  reporter.info(end);
  return output;
}

function failed(argv: readonly string[], error: unknown): DeploymentError {
  return new DeploymentError(`failed to execute ${argv.join(" ")}: ${messageOf(error)}`, {
    cause: error,
  });
}

function parseInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new InvalidInputError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new InvalidInputError(
      `strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`,
    );
  }
  return value;
}
