import { killRunningCommands } from "../../environment/mod.ts";
import { ToolError } from "../../errors/mod.ts";
import { EXIT_HANGUP, EXIT_INTERRUPTED, EXIT_TERMINATED } from "./exit_codes.ts";

const SIGNALS = [
  ["SIGHUP", EXIT_HANGUP],
  ["SIGINT", EXIT_INTERRUPTED],
  ["SIGTERM", EXIT_TERMINATED],
] as const;

/** The program was asked to end by a signal. */
export class InterruptedError extends ToolError {
  /** Name of the signal. */
  readonly signal: string;
  override readonly exitCode: number;

  constructor(signal: string, exitCode: number) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
    this.exitCode = exitCode;
  }
}

/**
 * Aborts the controller at the first SIGHUP, SIGINT or SIGTERM, so that the run cleans up and ends by
 * itself; at the second one, the process ends at once.
 */
export function handleSignals(controller: AbortController): void {
  for (const [signal, exitCode] of SIGNALS) {
    Deno.addSignalListener(signal, () => {
      if (controller.signal.aborted) {
        killRunningCommands();
        Deno.exit(exitCode);
      }
      controller.abort(new InterruptedError(signal, exitCode));
    });
  }
}
