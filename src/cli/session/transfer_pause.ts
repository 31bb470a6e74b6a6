import { formatDuration } from "../../environment/mod.ts";
import type { Session } from "./session.ts";

/**
 * Waits as long as `--sleep` says, so that somebody can bring an archive, or fetch one.
 *
 * @param hint what the log says besides, such as how to end the wait
 * @throws the signal's reason when the run is ended meanwhile
 */
export async function pauseForTransfer(
  { context, reporter }: Pick<Session, "context" | "reporter">,
  milliseconds: number,
  hint?: string,
): Promise<void> {
  if (milliseconds === 0) return;
  reporter.info(`Sleeping for ${formatDuration(milliseconds)} to allow backup file transfer...`);
  if (hint !== undefined) reporter.info(hint);
  await context.clock.sleep(milliseconds, context.signal);
}
