import { hintOf, messageOf } from "../../errors/mod.ts";
import { type CliContext, redactUrls } from "../process/mod.ts";
import type { ComponentMetrics } from "./metrics.ts";

/** Where the result of a command goes, and in which form. */
export interface ResultOutput {
  readonly context: CliContext;
  /** The command that runs, such as `snapshots list`. */
  readonly command: string;
  /** Whether results are JSON. */
  readonly json: boolean;
  /** Takes what was done with each component, once it has been. */
  readonly completed: (components: readonly ComponentMetrics[]) => void;
}

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
  output: ResultOutput,
  action: (facts: KnownFacts) => Promise<CommandResult>,
): Promise<void> {
  const facts: KnownFacts = {};
  let result: CommandResult;
  try {
    result = await action(facts);
  } catch (error) {
    if (output.json) {
      const { signal } = output.context;
      const failure: unknown = signal.aborted ? signal.reason : error;
      const hint = hintOf(failure);
      writeJson(output, {
        ok: false,
        error: redactUrls(messageOf(failure)),
        ...(hint === undefined ? {} : { hint: redactUrls(hint) }),
        ...facts,
      });
    }
    throw error;
  }
  output.completed(result.components ?? []);
  if (output.json) writeJson(output, { ok: true, ...result.json });
  else output.context.writeOut(`${result.text}\n`);
}

/** Writes the result of a command to standard output, as one line of JSON. */
export function writeJson(
  { context, command }: Pick<ResultOutput, "context" | "command">,
  result: Readonly<Record<string, unknown>>,
): void {
  context.writeOut(JSON.stringify({ type: "result", command, ...result }) + "\n");
}

/** Seconds for a JSON result. */
export function roundSeconds(seconds: number): number {
  return Math.round(seconds * 1_000) / 1_000;
}
