/** Prefect, as anybody sees it by its API. */

/** A run of a flow. */
export interface FlowRun {
  readonly id: string;
  readonly name: string;
  /** Such as `COMPLETED`, `RUNNING`, `SCHEDULED`. */
  readonly state: string;
}

/** What Prefect knows, apart from runs. */
export interface Registrations {
  readonly deployments: readonly string[];
  readonly automations: readonly string[];
  readonly pools: readonly string[];
}

interface RawRun {
  readonly id: string;
  readonly name: string;
  readonly state_type: string;
}

interface Named {
  readonly name: string;
}

/** The most that it hands out at once. */
const PAGE = 200;
const POOL = "infrahub-worker";
/** Of an answer to the question whether somebody is there. */
export const ANSWER_TIMEOUT_MS = 20_000;
/** A state that nothing follows. */
const FINAL = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"];

/** The task manager of a deployment. */
export class TaskManager {
  readonly #url: string;

  /** @param url as in `PREFECT_API_URL` */
  constructor(url: string) {
    this.#url = url;
  }

  /** Whether it is there. */
  async answers(): Promise<boolean> {
    try {
      const response = await fetch(`${this.#url}/health`, {
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      await response.body?.cancel();
      return response.ok;
    } catch (error) {
      if (error instanceof TypeError || isTimeout(error)) return false;
      throw error;
    }
  }

  /** Whether a worker of Infrahub's has told within the last half minute that it is there. */
  async hasWorker(): Promise<boolean> {
    try {
      const workers = await this.#all<{ readonly status: string }>(
        `/work_pools/${POOL}/workers/filter`,
      );
      return workers.some(({ status }) => status === "ONLINE");
    } catch (error) {
      // Before the first worker there is no pool.
      if (error instanceof NotFound) return false;
      throw error;
    }
  }

  /** All runs, by their ids. */
  async runs(): Promise<ReadonlyMap<string, FlowRun>> {
    const runs = await this.#all<RawRun>("/flow_runs/filter");
    return new Map(runs.map(({ id, name, state_type }) => [id, { id, name, state: state_type }]));
  }

  /** The runs that have ended. */
  async endedRuns(): Promise<ReadonlyMap<string, FlowRun>> {
    return new Map([...await this.runs()].filter(([, { state }]) => FINAL.includes(state)));
  }

  /** What is registered, by names. */
  async registrations(): Promise<Registrations> {
    const names = async (path: string): Promise<string[]> =>
      (await this.#all<Named>(path)).map(({ name }) => name).toSorted();
    return {
      deployments: await names("/deployments/filter"),
      automations: await names("/automations/filter"),
      pools: await names("/work_pools/filter"),
    };
  }

  async #all<T>(path: string): Promise<T[]> {
    const found: T[] = [];
    while (true) {
      const page = await this.#post<T[]>(path, { limit: PAGE, offset: found.length });
      found.push(...page);
      if (page.length < PAGE) return found;
    }
  }

  async #post<T>(path: string, body: unknown): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.status === 404) throw new NotFound(path);
    if (!response.ok) throw new Error(`Prefect: ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }
}

/** Prefect knows no such thing. */
class NotFound extends Error {
  override readonly name = "NotFound";
}

/** Whether an error says that a request has taken too long. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
