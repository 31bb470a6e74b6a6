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

/** From when on a wait is told, and how often, in milliseconds. */
const TOLD_AFTER_MS = 10_000;
const TOLD_EVERY_MS = 60_000;

/**
 * Tells a wait that lasts. As a warning: who asked to hear of nothing but what matters must not be left
 * to guess why nothing happens.
 */
class PatienceReport implements Disposable {
  readonly #deployment: Deployment;
  readonly #what: string;
  readonly #started: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #toldAt = -Infinity;
  #reason = "there is no answer yet";

  constructor(deployment: Deployment, { failure, timeoutMs }: PollOptions<unknown>) {
    this.#deployment = deployment;
    this.#what = `Waiting for up to ${formatDuration(timeoutMs)}: ${failure} yet`;
    this.#started = deployment.clock.now();
    // A single look may hang for longer than that.
    this.#timer = setInterval(() => this.look(), TOLD_AFTER_MS);
  }

  /** Tells it if it is time. */
  look(reason = this.#reason): void {
    const { clock, reporter } = this.#deployment;
    this.#reason = reason;
    const now = clock.now();
    if (now - this.#started < TOLD_AFTER_MS || now - this.#toldAt < TOLD_EVERY_MS) return;
    this.#toldAt = now;
    reporter.warn(`${this.#what}: ${reason}`);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/**
 * Looks at something again and again until it is as it should be. A wait of more than ten seconds is told,
 * with what it is for, and from then on every minute.
 *
 * @throws {DeploymentError} with the last reason when the time is over; the signal's reason when
 * aborted; an error that `isFinal`
 */
export async function poll<Value>(
  deployment: Deployment,
  options: PollOptions<Value>,
): Promise<Value> {
  const { failure, timeoutMs, intervalMs, probe, isFinal } = options;
  const { clock, signal } = deployment;
  using patience = new PatienceReport(deployment, options);
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
    patience.look(reason);
    await clock.sleep(intervalMs, signal);
  }
}
