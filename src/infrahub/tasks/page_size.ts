import { messageOf } from "../../errors/mod.ts";
import { type Deployment, TASK_MANAGER } from "../deployment/mod.ts";

/** The task manager's own limit where nothing else is set. */
export const MAX_PAGE_SIZE = 200;

/**
 * How many entries to ask for at once: the task manager's limit, at most
 * {@linkcode MAX_PAGE_SIZE}.
 */
export async function findPageSize(deployment: Deployment): Promise<number> {
  return Math.min(await findPageLimit(deployment) ?? MAX_PAGE_SIZE, MAX_PAGE_SIZE);
}

/**
 * How many entries the task manager hands out at once, as its environment says in
 * `PREFECT_API_DEFAULT_LIMIT`; undefined when it does not say.
 */
export async function findPageLimit(
  { environment, reporter, signal }: Deployment,
): Promise<number | undefined> {
  try {
    const output = await environment.run(
      TASK_MANAGER,
      ["sh", "-c", 'printf %s "$PREFECT_API_DEFAULT_LIMIT"'],
      { signal },
    );
    const limit = /^\d+$/.test(output.trim()) ? Number(output) : 0;
    return limit > 0 ? limit : undefined;
  } catch (error) {
    signal.throwIfAborted();
    reporter.debug(`Could not read PREFECT_API_DEFAULT_LIMIT: ${messageOf(error)}`);
    return undefined;
  }
}
