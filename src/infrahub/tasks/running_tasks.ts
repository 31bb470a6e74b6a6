import { CommandFailedError, formatDuration } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { RUNNING_TASKS_SCRIPT } from "./_task_scripts.ts";
import { isNoSuchCommand, runWorkerScript } from "./_worker_script.ts";
import { type Deployment, DeploymentError, TASK_WORKER } from "../deployment/mod.ts";
import { findPageSize } from "./page_size.ts";

/** How running tasks are waited for. */
export interface WaitForTasksOptions {
  /** Longest wait in milliseconds; 0 for no limit. */
  readonly waitTimeoutMs: number;
}

/** A task that has not ended. */
export interface RunningTask {
  readonly id: string;
  readonly title: string;
  /** In lower case; empty when it was not said. */
  readonly state: string;
}

const INTERVAL_MS = 5_000;
const SCRIPT_TIMEOUT_MS = 120_000;
const LIST_COMMAND = [
  "infrahubctl",
  "task",
  "list",
  "--json",
  "--state",
  "running",
  "--state",
  "pending",
  // Those that wait for a worker, or for their time: they are told, and not waited for.
  "--state",
  "scheduled",
];
/** The tool reports an API's complaint on its standard output, which an error does not carry. */
const EXPLAIN_COMMAND = ["sh", "-c", 'exec "$@" >&2', "sh", ...LIST_COMMAND];

/**
 * Waits until no task of Infrahub is running or pending, and tells which are queued.
 *
 * @throws {DeploymentError} when tasks cannot be listed, or do not end in time
 */
export async function waitForRunningTasks(
  deployment: Deployment,
  { waitTimeoutMs }: WaitForTasksOptions,
): Promise<void> {
  const { clock, reporter, signal } = deployment;
  const deadline = clock.now() + waitTimeoutMs;
  const lister = new TaskLister(deployment);
  while (true) {
    const listed = await lister.list();
    const tasks = listed.filter(({ state }) => state !== "scheduled");
    if (tasks.length === 0) {
      const queued = listed.map(({ id, title }) => `${id} ${title}`).join(", ");
      if (queued !== "") reporter.info(`Tasks that are queued, and not waited for: [${queued}]`);
      reporter.info("No running tasks detected. Proceeding with backup.");
      return;
    }
    const pairs = tasks.map(({ id, title }) => `${id} ${title}`).join(", ");
    reporter.warn(`There are running ${tasks.length} tasks: [${pairs}]`);
    if (waitTimeoutMs > 0 && clock.now() + INTERVAL_MS > deadline) {
      throw new DeploymentError(
        `${tasks.length} tasks are still running after ${formatDuration(waitTimeoutMs)} ` +
          "(wait longer with --wait-timeout, or use --force to override)",
      );
    }
    reporter.warn("Waiting for them to complete... (use --force to override)");
    await clock.sleep(INTERVAL_MS, signal);
  }
}

class TaskLister {
  readonly #deployment: Deployment;
  #pageSize: number | undefined;
  #address: string | undefined;
  #byScript = false;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  async list(): Promise<RunningTask[]> {
    const { reporter, signal } = this.#deployment;
    this.#pageSize ??= await findPageSize(this.#deployment);
    while (true) {
      signal.throwIfAborted();
      let failure: unknown;
      try {
        return parseTasks(await this.#run());
      } catch (error) {
        failure = error;
      }
      signal.throwIfAborted();
      if (!(failure instanceof CommandFailedError)) throw failure;
      let limit = complainedLimit(failure);
      if (!this.#byScript && limit === undefined) {
        const explained = isNoSuchCommand(failure) ? failure : await this.#explain();
        if (isNoSuchCommand(explained)) {
          this.#byScript = true;
          continue;
        }
        limit = complainedLimit(explained);
        failure = explained ?? failure;
      }
      if (limit === undefined || limit < 1 || limit >= this.#pageSize) {
        throw new DeploymentError(`failed to check running tasks: ${messageOf(failure)}`, {
          cause: failure,
        });
      }
      reporter.warn(
        `task-manager rejected pagination size ${this.#pageSize}; retrying with ${limit}`,
      );
      this.#pageSize = limit;
    }
  }

  async #run(): Promise<string> {
    const env = await this.#env();
    const { environment, signal } = this.#deployment;
    return this.#byScript
      ? await runWorkerScript(
        this.#deployment,
        RUNNING_TASKS_SCRIPT,
        [],
        env,
        SCRIPT_TIMEOUT_MS,
      )
      : await environment.run(TASK_WORKER, LIST_COMMAND, { env, signal });
  }

  /** Lists once more for the error alone. */
  async #explain(): Promise<CommandFailedError | undefined> {
    const { environment, signal } = this.#deployment;
    try {
      await environment.run(TASK_WORKER, EXPLAIN_COMMAND, { env: await this.#env(), signal });
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CommandFailedError) return error;
      throw error;
    }
  }

  async #env(): Promise<Record<string, string>> {
    this.#address ||= await this.#findAddress();
    return {
      INFRAHUB_PAGINATION_SIZE: String(this.#pageSize),
      ...(this.#address ? { INFRAHUB_ADDRESS: this.#address } : {}),
    };
  }

  async #findAddress(): Promise<string> {
    const { environment, reporter, signal } = this.#deployment;
    try {
      const output = await environment.run(
        TASK_WORKER,
        ["printenv", "INFRAHUB_INTERNAL_ADDRESS"],
        { signal },
      );
      return output.trim();
    } catch (error) {
      signal.throwIfAborted();
      // Not set, most likely: then the worker's own configuration has the address.
      reporter.debug(`Could not read INFRAHUB_INTERNAL_ADDRESS: ${messageOf(error)}`);
      return "";
    }
  }
}

function complainedLimit(error: unknown): number | undefined {
  if (!(error instanceof CommandFailedError)) return undefined;
  // The server's limit stands in the text of its refusal and nowhere else. Rich breaks its lines
  // where the console ends.
  const text = error.stderrTail.replaceAll(/\s+/g, " ");
  const limit = /must be less than or equal to (\d+)/.exec(text)?.[1];
  return limit === undefined ? undefined : Number(limit);
}

function parseTasks(output: string): RunningTask[] {
  if (output.trim() === "") return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(output);
    if (!Array.isArray(parsed)) throw new SyntaxError("not an array");
  } catch (error) {
    throw new DeploymentError(`could not parse json: ${messageOf(error)}\n${output}`, {
      cause: error,
    });
  }
  return (parsed as readonly unknown[]).map((task) => {
    const { id, title, state } = Object(task) as Record<string, unknown>;
    return {
      id: String(id ?? "?"),
      title: String(title ?? "?"),
      state: String(state ?? "").toLowerCase(),
    };
  });
}
