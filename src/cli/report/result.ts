import { hintOf } from "../../errors/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import type { ComponentMetrics } from "./metrics.ts";
import { redactUrls } from "../process/mod.ts";
import { type Session, writeJson } from "../session/mod.ts";

/** What a command has done, for people and for programs. */
export interface CommandResult {
  /** Lines without the last line break. */
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** What was done with each component, where bytes were moved. */
  readonly components?: readonly ComponentMetrics[];
}

/** What is known already when a command fails, by name. */
export type KnownFacts = Record<string, unknown>;

/**
 * Does what a command is for and prints its result on standard output, last. In JSON there is exactly
 * one object, on failure as well: `ok` tells which.
 */
export async function printResult(
  session: Session,
  action: (facts: KnownFacts) => Promise<CommandResult>,
): Promise<void> {
  const facts: KnownFacts = {};
  let result: CommandResult;
  try {
    result = await action(facts);
  } catch (error) {
    if (session.json) {
      const { signal } = session.context;
      const failure: unknown = signal.aborted ? signal.reason : error;
      const hint = hintOf(failure);
      writeJson(session, {
        ok: false,
        error: redactUrls(messageOf(failure)),
        ...(hint === undefined ? {} : { hint: redactUrls(hint) }),
        ...facts,
      });
    }
    throw error;
  }
  session.completed(result.components ?? []);
  if (session.json) writeJson(session, { ok: true, ...result.json });
  else session.context.writeOut(`${result.text}\n`);
}

/** Seconds for a JSON result. */
export function roundSeconds(seconds: number): number {
  return Math.round(seconds * 1_000) / 1_000;
}
