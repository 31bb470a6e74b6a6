import { formatDuration } from "./duration.ts";
import { EnvironmentError } from "./environment_error.ts";

/** How long something is waited for. */
export interface WaitOptions {
  /** Longest wait in milliseconds. */
  readonly limitMs: number;
  /** Milliseconds between two looks. */
  readonly intervalMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks again and again until nothing is missing.
 *
 * @param missing tells what is missing, for the error; undefined when nothing is
 * @throws {EnvironmentError} when something is still missing at the end
 */
export async function waitUntil(
  missing: () => Promise<string | undefined>,
  { limitMs, intervalMs, signal }: WaitOptions,
): Promise<void> {
  const end = performance.now() + limitMs;
  for (;;) {
    const problem = await missing();
    if (problem === undefined) return;
    if (performance.now() >= end) {
      throw new EnvironmentError(`${problem} after ${formatDuration(limitMs)}`);
    }
    await pause(intervalMs, signal);
  }
}

/** @throws the signal's reason when it aborts */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, milliseconds);
  const onAbort = () => over.reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await over.promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
