/**
 * What the output of `deno test` says.
 *
 * @module
 */

/** How many tests a suite had; ignored ones with the steps that were ignored. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/** How many lines of a failure are shown once more. */
const EXCERPT_LINES = 300;
const TAIL_LINES = 40;

/** `ok | 3 passed (2 steps) | 0 failed | 1 ignored (4 steps) (1s)` */
const SUMMARY = /^(?:ok|FAILED) \| \d+ passed.*$/gm;

function number(pattern: RegExp, text: string): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

/** Counts by the last summary; all are zero when there is none. */
export function countTests(output: string): TestCounts {
  const summary = output.match(SUMMARY)?.at(-1) ?? "";
  return {
    passed: number(/(\d+) passed/, summary),
    failed: number(/(\d+) failed/, summary),
    ignored: number(/(\d+) ignored/, summary) + number(/ignored \((\d+) steps?\)/, summary),
  };
}

/** Names of the tests and steps that were ignored, with their file where it is told. */
export function ignoredTests(output: string): string[] {
  return [...output.matchAll(/^ *(.+?) \.\.\. ignored\b/gm)].map((match) => match[1] ?? "");
}

/** What went wrong: the errors that `deno test` repeats under a heading, else the end. */
export function failureExcerpt(output: string): string {
  const lines = output.trimEnd().split("\n");
  const errors = lines.lastIndexOf(" ERRORS ");
  const excerpt = errors === -1
    ? lines.slice(-TAIL_LINES)
    : lines.slice(errors, errors + EXCERPT_LINES);
  return excerpt.join("\n");
}
