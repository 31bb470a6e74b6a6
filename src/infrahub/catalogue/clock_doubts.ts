import type { BackupGroup } from "./group.ts";
import type { Reporter } from "../reporter.ts";
import { formatLocalTime } from "../timestamp.ts";

/** Clocks of two hosts may differ by so much without anything being wrong. */
const TOLERANCE_MS = 60_000;

/** Whether a backup is dated after now. */
export function isFromTheFuture({ date }: Pick<BackupGroup, "date">, now: Date): boolean {
  return date.getTime() > now.getTime() + TOLERANCE_MS;
}

/**
 * What makes the date of a backup doubtful, in words; undefined as a rule.
 *
 * @param now what the clock of this host says
 */
export function clockDoubt(
  group: Pick<BackupGroup, "name" | "date" | "madeAfter">,
  now: Date,
): string | undefined {
  const { name, date, madeAfter } = group;
  if (isFromTheFuture(group, now)) {
    return `Backup ${name} is dated after now (${
      formatLocalTime(date)
    }): the clock of this host, or ` +
      "of the one that made it, is wrong, and which backup is the newest is in doubt";
  }
  if (madeAfter !== undefined) {
    return `Backup ${name} was made after ${madeAfter}, but is dated before it: a clock was wrong, ` +
      "and which backup is the newest is in doubt";
  }
  return undefined;
}

/**
 * Warns before a backup is made that others are dated after it.
 *
 * @param groups newest first
 * @returns the latest of them; undefined when the clock is beyond doubt
 */
export function warnOfClock(
  groups: readonly BackupGroup[],
  now: Date,
  reporter: Reporter,
): BackupGroup | undefined {
  const [newest] = groups;
  if (newest === undefined || !isFromTheFuture(newest, now)) return undefined;
  reporter.warn(
    `The clock of this host says ${
      formatLocalTime(now)
    }, and backup ${newest.name} is dated after ` +
      `that (${formatLocalTime(newest.date)}): one of both clocks is wrong. Until then the older ` +
      "backup is taken for the newest; name this one when it is to be restored",
  );
  return newest;
}
