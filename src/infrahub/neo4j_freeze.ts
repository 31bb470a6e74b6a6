import {
  launchWatchdogArgv,
  parseProcessState,
  processStateArgv,
  readPidArgv,
  resumeNeo4jArgv,
  stopNeo4jArgv,
} from "./_neo4j_freeze_scripts.ts";
import type { DatabaseCredentials } from "./credentials.ts";
import { attempt, type Deployment, DeploymentError, DeploymentRefusedError } from "./deployment.ts";
import { messageOf } from "./errors.ts";
import { poll, waitForNeo4j } from "./readiness.ts";
import { DATABASE } from "./services.ts";
import type { UndoHandle, UndoJournal } from "./undo_journal.ts";
import { WORK_PARENT } from "./work_directory.ts";

/** How Neo4j is stopped and brought back. */
export interface FreezeOptions {
  /**
   * Milliseconds that Neo4j may take to close its databases.
   *
   * @default {600000}
   */
  readonly stopTimeoutMs?: number;
  /**
   * Milliseconds that it may take to answer again afterwards.
   *
   * @default {300000}
   */
  readonly readyTimeoutMs?: number;
  /** @default {"/var/lib/neo4j/run/neo4j.pid"} */
  readonly pidFile?: string;
}

/** Neo4j with its databases closed, while its container lives on. */
export interface FrozenNeo4j {
  /**
   * Resumes it and waits until it answers again; performing it takes it off the journal. May be
   * called again after a failure.
   */
  thaw(): Promise<void>;
}

/** Neo4j's container ended with its process: it could not be held in time. */
export class Neo4jNotHeldError extends DeploymentError {}

const PID_FILE = "/var/lib/neo4j/run/neo4j.pid";
const STOP_TIMEOUT_MS = 600_000;
const READY_TIMEOUT_MS = 300_000;
const POLL_MS = 500;
/** The watchdog outlives the wait for it, so that it is never the one to give up first. */
const WATCHDOG_GRACE_SECONDS = 60;
/** A command that fails says nothing yet about Neo4j; so many in a row do. */
const FAILED_LOOKS = 3;
const RESUME_TRIES = 3;
const RESUME_COMMAND_MS = 60_000;

/**
 * Has Neo4j close its databases, and keeps its container alive by holding the process in the moment
 * before it ends. A host needs no such trick: there the service is stopped.
 *
 * On every failure Neo4j is resumed before the error is thrown; where that fails too, it stays on
 * the journal.
 *
 * @throws {Neo4jNotHeldError} when the process was gone before it could be held
 * @throws {DeploymentError} when a step fails, or Neo4j does not stop in time
 */
export async function freezeNeo4j(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  options: FreezeOptions = {},
): Promise<FrozenNeo4j> {
  const freeze = deployment.environment.kind === "host" ? stopService : holdProcess;
  const undo = await freeze(deployment, credentials, journal, options);
  return { thaw: () => undo.perform() };
}

async function stopService(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  { readyTimeoutMs = READY_TIMEOUT_MS }: FreezeOptions,
): Promise<UndoHandle> {
  const { environment, signal } = deployment;
  const status = await attempt(
    deployment,
    "failed to stop neo4j",
    () => environment.status(DATABASE, signal),
  );
  if (status === "absent") {
    throw new DeploymentRefusedError(
      "failed to stop neo4j: nothing is known here that stops and starts it (name its unit)",
    );
  }
  const undo = journal.push({
    name: "start Neo4j again",
    timeoutMs: readyTimeoutMs + RESUME_TRIES * RESUME_COMMAND_MS,
    run: async (undoSignal) => {
      const undoing = { ...deployment, signal: undoSignal };
      await attempt(
        undoing,
        "failed to start Neo4j",
        () => environment.start([DATABASE], undoSignal),
      );
      await waitForNeo4j(undoing, credentials, { timeoutMs: readyTimeoutMs });
    },
  });
  return await orThaw(deployment, undo, async () => {
    await attempt(
      deployment,
      "failed to stop neo4j",
      () => environment.stop([DATABASE], signal),
    );
    return undo;
  });
}

async function holdProcess(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  options: FreezeOptions,
): Promise<UndoHandle> {
  const { environment, reporter, signal } = deployment;
  const { pidFile = PID_FILE, stopTimeoutMs = STOP_TIMEOUT_MS } = options;
  const run = (argv: readonly string[]) => environment.run(DATABASE, argv, { signal });

  const pid = parsePid(
    await attempt(deployment, "failed to read neo4j pid file", () => run(readPidArgv(pidFile))),
  );
  const before = await attempt(
    deployment,
    "failed to look at the neo4j process",
    async () => parseProcessState(await run(processStateArgv(pid, pidFile))),
  );
  if (before === undefined) {
    throw new DeploymentError(`the neo4j pid file names process ${pid}, which does not exist`);
  }
  const directory = `${WORK_PARENT}/infrahubops-${crypto.randomUUID()}`;
  const target: HeldProcess = { pid, startTime: before.startTime, directory };
  const undo = journal.push(resumption(deployment, credentials, target, options));
  return await orThaw(deployment, undo, async () => {
    await attempt(
      deployment,
      "failed to prepare remote work directory",
      () => run(["mkdir", "-m", "700", directory]),
    );
    const deadlineSeconds = Math.ceil(stopTimeoutMs / 1_000) + WATCHDOG_GRACE_SECONDS;
    await attempt(
      deployment,
      "failed to start watchdog",
      () => run(launchWatchdogArgv({ directory, pidFile, pid, deadlineSeconds })),
    );
    reporter.info("Waiting for Neo4j process to stop...");
    await attempt(
      deployment,
      "failed to stop neo4j",
      () => run(stopNeo4jArgv(directory, pid)),
    );
    await waitUntilHeld(deployment, target, pidFile, stopTimeoutMs);
    return undo;
  });
}

interface HeldProcess {
  readonly pid: number;
  readonly startTime: string;
  readonly directory: string;
}

async function waitUntilHeld(
  deployment: Deployment,
  { pid, startTime }: HeldProcess,
  pidFile: string,
  timeoutMs: number,
): Promise<void> {
  let failedLooks = 0;
  const lost = (how: string) =>
    new Neo4jNotHeldError(
      `Neo4j ended before it could be held (${how}); nothing was read or written, and its ` +
        "restart policy should bring it back: try again",
    );
  await poll(deployment, {
    failure: `timed out waiting for neo4j process ${pid} to stop`,
    timeoutMs,
    intervalMs: POLL_MS,
    isFinal: (error) => error instanceof Neo4jNotHeldError,
    probe: async ({ environment, signal }) => {
      let output: string;
      try {
        output = await environment.run(DATABASE, processStateArgv(pid, pidFile), { signal });
        failedLooks = 0;
      } catch (error) {
        signal.throwIfAborted();
        failedLooks++;
        const status = await environment.status(DATABASE, signal);
        if (status !== "running") throw lost(`service ${DATABASE} is ${status}`);
        if (failedLooks >= FAILED_LOOKS) throw lost(messageOf(error));
        throw error;
      }
      const process = parseProcessState(output);
      if (process === undefined) throw lost(`process ${pid} is gone`);
      if (process.startTime !== startTime) throw lost(`process ${pid} is another one now`);
      if (process.state === "Z") throw lost(`process ${pid} has exited`);
      if (process.state === "T" && !process.pidFilePresent) return { done: true, value: undefined };
      return {
        done: false,
        reason: process.pidFilePresent
          ? `it still closes its databases (state ${process.state})`
          : `its databases are closed, but it is not held (state ${process.state})`,
      };
    },
  });
}

/** How a held process is resumed, and what follows: it exits, and its restart policy restarts it. */
function resumption(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  { directory, pid, startTime }: HeldProcess,
  { readyTimeoutMs = READY_TIMEOUT_MS }: FreezeOptions,
) {
  const { environment, reporter, clock } = deployment;
  let resumed = false;
  let cleared = false;
  const resume = async (signal: AbortSignal) => {
    for (let attempts = 1;; attempts++) {
      try {
        await environment.run(DATABASE, resumeNeo4jArgv(directory, pid, startTime), {
          signal,
          timeoutMs: RESUME_COMMAND_MS,
        });
        cleared = true;
        return;
      } catch (error) {
        signal.throwIfAborted();
        // A container that has ended took the process with it: there is nothing to resume.
        if (await isDown(signal)) return;
        if (attempts >= RESUME_TRIES) {
          throw new DeploymentError(
            `failed to resume neo4j process: ${messageOf(error)}; Neo4j may be frozen until ` +
              `"kill -CONT ${pid}" is run in service ${DATABASE}`,
            { cause: error },
          );
        }
        await clock.sleep(POLL_MS, signal);
      }
    }
  };
  const isDown = async (signal: AbortSignal) => {
    try {
      return await environment.status(DATABASE, signal) !== "running";
    } catch (error) {
      reporter.debug(`Could not look at service ${DATABASE}: ${messageOf(error)}`);
      return false;
    }
  };
  const clear = async (signal: AbortSignal) => {
    try {
      await environment.run(DATABASE, ["rm", "-rf", directory], { signal });
      cleared = true;
    } catch (error) {
      // Only litter: no other run uses this directory.
      reporter.debug(`Could not remove ${directory}: ${messageOf(error)}`);
    }
  };
  return {
    name: "resume Neo4j",
    timeoutMs: readyTimeoutMs + 2 * RESUME_TRIES * RESUME_COMMAND_MS,
    run: async (signal: AbortSignal) => {
      // The work directory is gone after the first time.
      if (!resumed) await resume(signal);
      resumed = true;
      reporter.info("Waiting for Neo4j to answer again...");
      await waitForNeo4j({ ...deployment, signal }, credentials, { timeoutMs: readyTimeoutMs });
      if (!cleared) await clear(signal);
    },
  };
}

/** Does `action`; when it fails, Neo4j is brought back before its error goes on. */
async function orThaw<Value>(
  { reporter }: Deployment,
  undo: UndoHandle,
  action: () => Promise<Value>,
): Promise<Value> {
  try {
    return await action();
  } catch (error) {
    try {
      await undo.perform();
    } catch (undoError) {
      // Stays on the journal, where it is tried again.
      reporter.warn(`Could not bring Neo4j back: ${messageOf(undoError)}`);
    }
    throw error;
  }
}

function parsePid(output: string): number {
  const text = output.trim();
  if (text === "") throw new DeploymentError("neo4j pid file is empty");
  const pid = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(pid) || pid < 1) {
    throw new DeploymentError(`invalid pid ${JSON.stringify(text.slice(0, 100))}`);
  }
  return pid;
}
