/** How often and how long something is tried again. */
export interface RetryPolicy {
  /** Tries in all, at least 1. */
  readonly attempts: number;
  /** Longest wait after the first try, in milliseconds; it doubles with each. */
  readonly firstDelayMs: number;
  /** Longest wait of all, in milliseconds. */
  readonly maximumDelayMs: number;
}

/** Some two minutes at most: a service that restarts or throttles is back by then. */
export const DEFAULT_RETRIES: RetryPolicy = {
  attempts: 10,
  firstDelayMs: 200,
  maximumDelayMs: 30_000,
};

/**
 * The wait before another try: random, up to a limit that doubles (full jitter), so that clients
 * that were turned away together do not come back together.
 *
 * @param attempt tries so far, at least 1
 * @param random from 0 to 1
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random = Math.random()): number {
  return random * Math.min(policy.maximumDelayMs, policy.firstDelayMs * 2 ** (attempt - 1));
}

/** Waits; ends early when the signal aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end, { once: true });
  });
}
