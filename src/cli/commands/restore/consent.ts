import { ToolError } from "../../../errors/mod.ts";
import { formatSize } from "../../../infrahub/mod.ts";
import type { Session } from "../../session/mod.ts";
import type { RestoreRequest } from "./request.ts";

/** Somebody was asked whether the data of the deployment is to be replaced, and did not say yes. */
export class NotConfirmedError extends ToolError {}

/** What the question names, so that a mistake is seen before it is made. */
export interface Replacement {
  /** Which backup, and whose it is. */
  readonly backup: string;
  /** When it was made, as a time that can be read back, where that is known. */
  readonly date: string;
  /** Of its dumps. */
  readonly bytes: number;
  /** The deployment whose data is replaced. */
  readonly target: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * Asks on a terminal before data is replaced. Scripts and timers have no terminal: they are not asked,
 * as by the Go tool.
 *
 * @throws {NotConfirmedError} unless the answer is yes
 */
export async function requireConsent(
  { context }: Pick<Session, "context">,
  { isConfirmed, isDryRun }: Pick<RestoreRequest, "isConfirmed" | "isDryRun">,
  replacement: Replacement,
): Promise<void> {
  if (isConfirmed || isDryRun) return;
  const answer = await context.confirm(question(replacement, context.now()));
  if (answer === false) {
    throw new NotConfirmedError("nothing was restored: the question was not answered with yes", {
      hint: "--yes restores without a question",
    });
  }
}

/** The question, without what may be answered. */
export function question({ backup, date, bytes, target }: Replacement, now: Date): string {
  return `The data of ${target} is replaced by ${backup}, made ${formatAge(date, now)} ` +
    `(${date}), ${formatSize(bytes)}. Go on?`;
}

function formatAge(date: string, now: Date): string {
  const age = now.getTime() - Date.parse(date);
  if (Number.isNaN(age)) return "at a time that is not known";
  if (age < 0) return "in the future";
  const [unit, name] = age < 2 * HOUR_MS
    ? [MINUTE_MS, "minutes"]
    : age < 2 * DAY_MS
    ? [HOUR_MS, "hours"]
    : [DAY_MS, "days"];
  return `${Math.floor(age / unit)} ${name} ago`;
}
