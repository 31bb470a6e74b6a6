import { type Deployment, TASK_WORKER } from "../deployment/mod.ts";
import { CommandFailedError } from "../../environment/mod.ts";

/**
 * Whether a program says that it does not know the sub-command, as older versions do. Its exit code
 * is that of any wrong usage, so that its text has to be read.
 */
export function isNoSuchCommand(error: unknown): boolean {
  return error instanceof CommandFailedError && /no such command/i.test(error.stderrTail);
}

/**
 * Runs a Python program on a worker.
 *
 * @param stallTimeoutMs longest wait for it to take its text, or to end; 0 for no limit
 * @returns its standard output
 */
export async function runWorkerScript(
  { environment, signal }: Deployment,
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stallTimeoutMs: number,
): Promise<string> {
  const input = await environment.streamIn(TASK_WORKER, ["python", "-u", "-", ...args], {
    env,
    stallTimeoutMs,
    signal,
  });
  try {
    await input.write(new TextEncoder().encode(script));
    return await input.close();
  } catch (error) {
    await input.abort(error);
    throw error;
  }
}
