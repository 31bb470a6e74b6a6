import { messageOf } from "../../../errors/mod.ts";
import { describeShrinkage, type Shrinkage } from "../../../infrahub/mod.ts";
import { EXIT_SUSPICIOUS } from "../../process/mod.ts";
import type { Session } from "../../session/mod.ts";

/**
 * Says that a backup is much smaller than the last one, in the log and by the exit code. That it
 * cannot be compared takes nothing away from it, and only warns.
 */
export async function warnOfShrinkage(
  { context, reporter, exitWith }: Pick<Session, "context" | "reporter" | "exitWith">,
  find: () => Promise<Shrinkage[]>,
): Promise<Shrinkage[]> {
  let shrinkage: Shrinkage[];
  try {
    shrinkage = await find();
  } catch (error) {
    context.signal.throwIfAborted();
    reporter.warn(`Could not compare the backup with the one before it: ${messageOf(error)}`);
    return [];
  }
  for (const one of shrinkage) reporter.warn(describeShrinkage(one));
  if (shrinkage.length > 0) exitWith(EXIT_SUSPICIOUS);
  return shrinkage;
}
