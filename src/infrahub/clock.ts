/** Time as a parameter, so that a test need not wait for it. */
export interface Clock {
  /** Milliseconds since some moment; never goes backwards. */
  now(): number;
  /**
   * Waits.
   *
   * @throws the signal's reason when it is aborted first
   */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The time that passes. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep(milliseconds, signal) {
    // Rejected, not thrown: whoever collects promises meets one kind of failure.
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", onAbort, { once: true });
    return promise;
  },
};
