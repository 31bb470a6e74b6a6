import { messageOf } from "../../errors/mod.ts";
import {
  awaitWatchdogArgv,
  parseProcessState,
  processStateArgv,
  readPidArgv,
  resumeNeo4jArgv,
  stopNeo4jArgv,
  watchdogArgv,
} from "./_freeze_scripts.ts";
import { WatchdogLine } from "./_watchdog_line.ts";
import {
  attempt,
  DATABASE,
  type DatabaseCredentials,
  type Deployment,
  DeploymentError,
  DeploymentRefusedError,
  poll,
  type UndoAction,
  type UndoHandle,
  type UndoJournal,
  WORK_PARENT,
} from "../deployment/mod.ts";
import type { Leftover } from "../unfinished/mod.ts";
import { waitForNeo4j } from "./readiness.ts";

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
   * Work directory of the watchdog, in Neo4j's container. As long as a file `busy` is there, at most
   * 20 s, Neo4j is not resumed, not even when we die; where `armed` is not, Neo4j is not held any
   * more. Undefined on a host, where Neo4j is stopped and nothing ends with it.
   */
  readonly watchdogDirectory?: string;
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
/** Many times the pause between two signs of life: a busy machine must not look like a dead one. */
const SILENCE_SECONDS = 120;
/**
 * How often it is tried to hold Neo4j. A lost race costs its restart, and nothing else has happened.
 * It is rare (see scripts/e2e/watchdog_trials.ts); where three in a row are lost, a fourth would be,
 * too, while the deployment is down.
 */
const TRIES = 3;
const RESUMPTION = "resume Neo4j";
/** A command that fails says nothing yet about Neo4j; so many in a row do. */
const FAILED_LOOKS = 3;
const RESUME_TRIES = 3;
const RESUME_COMMAND_MS = 60_000;

/**
 * Has Neo4j close its databases, and keeps its container alive by holding the process in the moment
 * before it ends. A host needs no such trick: there the service is stopped.
 *
 * On every failure Neo4j is resumed before the error is thrown; where that fails too, it stays on
 * the journal. Neo4j is also resumed when this process is killed, and when the connection to the
 * container is lost: see `_freeze_scripts.ts`. Its container ends then, and its restart policy
 * brings it back; where it has none, nobody is left to start it, and the next run does.
 *
 * When the process is gone before it could be held, it is waited for and tried again, three times in
 * all.
 *
 * @throws {Neo4jNotHeldError} when the process was gone each time
 * @throws {DeploymentError} when a step fails, or Neo4j does not stop in time
 */
export async function freezeNeo4j(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  options: FreezeOptions = {},
): Promise<FrozenNeo4j> {
  if (deployment.environment.kind === "host") {
    return await stopService(deployment, credentials, journal, options);
  }
  for (let tries = 1;; tries++) {
    try {
      return await holdProcess(deployment, credentials, journal, options);
    } catch (error) {
      if (!(error instanceof Neo4jNotHeldError)) throw error;
      if (journal.pending.includes(RESUMPTION)) {
        throw new Neo4jNotHeldError(
          `${error.message}; nothing was read or written, but it has not come back yet`,
          { cause: error },
        );
      }
      if (tries >= TRIES) {
        throw new Neo4jNotHeldError(
          `${error.message}, ${TRIES} times in a row; nothing was read or written, and Neo4j runs ` +
            "again: try again when the machine is less busy",
          { cause: error },
        );
      }
      deployment.reporter.warn(
        `${error.message}; it is back, trying again (${tries + 1} of ${TRIES})`,
      );
    }
  }
}

async function stopService(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  { readyTimeoutMs = READY_TIMEOUT_MS }: FreezeOptions,
): Promise<FrozenNeo4j> {
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
  const undo = await journal.push({
    name: "start Neo4j again",
    leaves: { kind: "stopped-neo4j" },
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
    return { thaw: () => undo.perform() };
  });
}

async function holdProcess(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  options: FreezeOptions,
): Promise<FrozenNeo4j> {
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
  const { startTime } = before;
  const directory = `${WORK_PARENT}/infrahubops-${crypto.randomUUID()}`;
  const line = new WatchdogLine(environment, DATABASE, reporter);
  const target: HeldProcess = { pid, startTime, directory, line };
  const undo = await journal.push(resumption(deployment, credentials, target, options));
  return await orThaw(deployment, undo, async () => {
    await attempt(
      deployment,
      "failed to prepare remote work directory",
      () => run(["mkdir", "-m", "700", directory]),
    );
    await attempt(
      deployment,
      "failed to start watchdog",
      async () => {
        await line.open(watchdogArgv({
          directory,
          pidFile,
          pid,
          startTime,
          deadlineSeconds: Math.ceil(stopTimeoutMs / 1_000) + WATCHDOG_GRACE_SECONDS,
          silenceSeconds: SILENCE_SECONDS,
        }));
        await run(awaitWatchdogArgv(directory));
      },
    );
    reporter.info("Waiting for Neo4j process to stop...");
    await attempt(deployment, "failed to stop neo4j", () => run(stopNeo4jArgv(directory)));
    await waitUntilHeld(deployment, target, pidFile, stopTimeoutMs);
    return { watchdogDirectory: directory, thaw: () => undo.perform() };
  });
}

interface HeldProcess {
  readonly pid: number;
  readonly startTime: string;
  readonly directory: string;
  readonly line: WatchdogLine;
}

async function waitUntilHeld(
  deployment: Deployment,
  { pid, startTime }: HeldProcess,
  pidFile: string,
  timeoutMs: number,
): Promise<void> {
  let failedLooks = 0;
  const lost = (how: string) =>
    new Neo4jNotHeldError(`Neo4j ended before it could be held (${how})`);
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
  { directory, pid, startTime, line }: HeldProcess,
  { readyTimeoutMs = READY_TIMEOUT_MS }: FreezeOptions,
): UndoAction {
  const { environment, reporter, clock } = deployment;
  let resumed = false;
  let cleared = false;
  /** Makes sure of it where the watchdog has not said that it did it; returns why it cannot. */
  const resume = async (signal: AbortSignal): Promise<unknown> => {
    for (let attempts = 1;; attempts++) {
      try {
        await environment.run(DATABASE, resumeNeo4jArgv(directory, pid, startTime), {
          signal,
          timeoutMs: RESUME_COMMAND_MS,
        });
        cleared = true;
        resumed = true;
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        // A container that has ended took the process with it: there is nothing to resume.
        if (await isDown(signal)) {
          resumed = true;
          return undefined;
        }
        if (attempts >= RESUME_TRIES) return error;
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
    name: RESUMPTION,
    leaves: { kind: "held-neo4j", pid, startTime, directory },
    timeoutMs: readyTimeoutMs + 2 * RESUME_TRIES * RESUME_COMMAND_MS,
    run: async (signal: AbortSignal) => {
      if (!resumed) resumed = await line.close();
      const problem = resumed ? undefined : await resume(signal);
      reporter.info("Waiting for Neo4j to answer again...");
      try {
        // Commands are refused while a container restarts: that it answers is what counts.
        await waitForNeo4j({ ...deployment, signal }, credentials, { timeoutMs: readyTimeoutMs });
      } catch (error) {
        if (problem === undefined) throw error;
        throw new DeploymentError(
          `failed to resume neo4j process: ${messageOf(problem)}; Neo4j may be frozen until ` +
            `"kill -CONT ${pid}" is run in service ${DATABASE}`,
          { cause: problem },
        );
      }
      resumed = true;
      if (!cleared) await clear(signal);
    },
  };
}

/**
 * Resumes a Neo4j that another process has held, and calls its watchdog off. One that runs again is
 * left alone; whether it answers has to be waited for.
 */
export async function resumeHeldNeo4j(
  { environment, reporter, signal }: Deployment,
  { directory, pid, startTime }: Extract<Leftover, { kind: "held-neo4j" }>,
): Promise<void> {
  try {
    await environment.run(DATABASE, resumeNeo4jArgv(directory, pid, startTime), {
      signal,
      timeoutMs: RESUME_COMMAND_MS,
    });
  } catch (error) {
    signal.throwIfAborted();
    // Its container may be on its way up: that Neo4j answers is what counts.
    reporter.debug(`Could not resume process ${pid}: ${messageOf(error)}`);
  }
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
