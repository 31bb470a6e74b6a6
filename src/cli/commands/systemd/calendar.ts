import { captureCommand, CommandFailedError } from "../../../environment/mod.ts";
import { UsageError } from "../../syntax/mod.ts";

/** Longest time that systemd may take for an answer, in milliseconds. */
const TIMEOUT_MS = 10_000;

/**
 * Makes sure that a timer would ever elapse: systemd itself refuses only when the unit is loaded, and
 * nobody looks at a timer that has not been loaded.
 *
 * systemd is asked; on hosts without it, where units may be made for another one, only what is
 * certainly an expression is taken.
 *
 * @throws {UsageError} it is no expression of systemd.time(7)
 */
export async function requireCalendar(expression: string, signal: AbortSignal): Promise<void> {
  let problem = "not an expression of systemd.time(7)";
  try {
    const argv = ["systemd-analyze", "calendar", "--", expression];
    await captureCommand({ argv, timeoutMs: TIMEOUT_MS, signal });
    return;
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    // An exit code is systemd's answer; without one it is not there, or has not answered.
    if (error.commandExitCode === undefined) {
      if (isCalendar(expression)) return;
    } else {
      problem = error.stderrTail.split("\n")[0] || problem;
    }
  }
  throw new UsageError(
    `invalid argument ${JSON.stringify(expression)} for "--on-calendar" flag: ${problem}`,
  );
}

const SHORTHAND =
  /^(?:minutely|hourly|daily|weekly|monthly|quarterly|semiannually|yearly|annually)$/;
const DAY = "(?:mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?" +
  "|sun(?:day)?)";
const WEEKDAYS = new RegExp(`^${DAY}(?:(?:,|\\.\\.)${DAY})*$`);
const NUMBERS = "(?:\\*|\\d+(?:\\.\\.\\d+)?)(?:/\\d+)?(?:,\\d+(?:\\.\\.\\d+)?(?:/\\d+)?)*";
const DATE = new RegExp(`^(?:${NUMBERS}-)?${NUMBERS}[-~]${NUMBERS}$`);
const TIME = new RegExp(`^${NUMBERS}:${NUMBERS}(?::${NUMBERS})?$`);
const ZONE = /^(?:utc|[a-z]+(?:\/[a-z0-9_+-]+)+)$/;

/**
 * Whether a text is a calendar expression: a shorthand, or weekdays, date and time, each at most once
 * and at least one of them, and a time zone.
 */
export function isCalendar(expression: string): boolean {
  const words = expression.toLowerCase().trim().split(/ +/);
  if (words.length > 1 && ZONE.test(words.at(-1) ?? "")) words.pop();
  if (words.length === 1 && SHORTHAND.test(words[0] ?? "")) return true;
  const count = words.length;
  for (const pattern of [WEEKDAYS, DATE, TIME]) {
    if (pattern.test(words[0] ?? "")) words.shift();
  }
  return count > 0 && words.length === 0;
}
