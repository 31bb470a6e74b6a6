import { formatDuration } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { type Deployment, DeploymentError } from "./deployment.ts";

/** What a look at something gave. */
export type ProbeResult<Value> =
  | { readonly done: true; readonly value: Value }
  /** The reason stands in the error when no time is left. */
  | { readonly done: false; readonly reason: string };

/** How something is waited for. */
export interface PollOptions<Value> {
  /** First words of the error: what could not be had. */
  readonly failure: string;
  /** Longest wait in milliseconds. */
  readonly timeoutMs: number;
  /** Milliseconds between two looks. */
  readonly intervalMs: number;
  /** Looks once; an error counts as "not yet". */
  readonly probe: (deployment: Deployment) => Promise<ProbeResult<Value>>;
  /** Whether an error shows that waiting is in vain. */
  readonly isFinal?: (error: unknown) => boolean;
}

/** How long a wait for a database may last. */
export interface WaitOptions {
  /**
   * Milliseconds.
   *
   * @default {300000}
   */
  readonly timeoutMs?: number;
}

/** How a database is waited for, both of them alike. */
export const DATABASE_WAIT = {
  timeoutMs: 300_000,
  intervalMs: 1_000,
  /** One look: a server that is just starting may leave a connection hanging, and a busy machine is slow. */
  probeTimeoutMs: 60_000,
} as const;

/**
 * Looks at something again and again until it is as it should be.
 *
 * @throws {DeploymentError} with the last reason when the time is over; the signal's reason when
 * aborted; an error that `isFinal`
 */
export async function poll<Value>(
  deployment: Deployment,
  { failure, timeoutMs, intervalMs, probe, isFinal }: PollOptions<Value>,
): Promise<Value> {
  const { clock, signal } = deployment;
  const deadline = clock.now() + timeoutMs;
  while (true) {
    signal.throwIfAborted();
    let reason: string;
    let cause: unknown;
    try {
      const result = await probe(deployment);
      if (result.done) return result.value;
      reason = result.reason;
    } catch (error) {
      signal.throwIfAborted();
      if (isFinal?.(error)) throw error;
      reason = messageOf(error);
      cause = error;
    }
    if (clock.now() + intervalMs > deadline) {
      throw new DeploymentError(
        `${failure} within ${formatDuration(timeoutMs)}: ${reason}`,
        cause === undefined ? {} : { cause },
      );
    }
    await clock.sleep(intervalMs, signal);
  }
}
