import type { Environment } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import type { Clock } from "../clock.ts";
import { InfrahubBackupError } from "../errors.ts";
import type { Reporter } from "../reporter.ts";

/** A deployment, and what every step against it needs. */
export interface Deployment {
  readonly environment: Environment;
  readonly reporter: Reporter;
  readonly clock: Clock;
  /** Ends the run when aborted. Undoing has a signal of its own. */
  readonly signal: AbortSignal;
  /**
   * Whether services that are started are waited for until they answer; those after them may fail
   * at their start otherwise.
   *
   * @default {true}
   */
  readonly waitsForServices?: boolean;
}

/** A step against a deployment failed; the message begins with what was attempted. */
export class DeploymentError extends InfrahubBackupError {}

/** A deployment is not fit for what was asked, which was found out before anything was touched. */
export class DeploymentRefusedError extends DeploymentError {}

/**
 * Does a step and says what it was when it fails. An aborted step fails with the signal's reason.
 *
 * @throws {DeploymentError} `<what>: <error>`, with the error as its cause
 */
export async function attempt<Value>(
  deployment: Pick<Deployment, "signal">,
  what: string,
  action: () => Promise<Value>,
): Promise<Value> {
  deployment.signal.throwIfAborted();
  try {
    return await action();
  } catch (error) {
    deployment.signal.throwIfAborted();
    throw new DeploymentError(`${what}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * What a component's bytes are written to while it is restored. Until it is settled, the journal can
 * put back what was there before.
 */
export interface ComponentTarget {
  /** Hands over bytes; they may be reused once this resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the bytes and does all that makes them the live data. */
  close(): Promise<void>;
  /**
   * The new data stays, whatever happens from now on.
   *
   * @param keepsOld whether the data that was replaced stays as well
   */
  settle(keepsOld: boolean): Promise<void>;
  /** What was replaced and where it is, for people; undefined where nothing was, or nothing can stay. */
  readonly old: string | undefined;
  /** Removes what is not kept of the old data, once settled. A failure only warns. */
  finish(): Promise<void>;
  /** Gives up, and puts back what can be put back. Idempotent; never throws. */
  abort(reason: unknown): Promise<void>;
}
