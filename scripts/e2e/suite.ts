/**
 * Runs the end-to-end tests on one engine: brings up what they need, runs the test files side by
 * side, and ends the engine if nobody else uses it.
 *
 * ```sh
 * deno run -A scripts/e2e/suite.ts [test files]     # tests/e2e when left out
 * ```
 *
 * The exit code is that of `deno test`, or 1 when the test bed cannot be had.
 *
 * @module
 */

import { report, StackError } from "./command.ts";
import { E2E_TESTS } from "./folders.ts";
import { bringDown, bringUp } from "./stack.ts";

/** Runs the tests. @returns the exit code of `deno test` */
async function runTests(files: readonly string[], ended: AbortSignal): Promise<number> {
  if (ended.aborted) return 1;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--parallel", ...files],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  ended.addEventListener("abort", () => child.kill("SIGTERM"));
  return (await child.status).code;
}

async function main(files: readonly string[]): Promise<number> {
  // From the beginning: the engine has to be ended, whoever ends this and whenever.
  const ended = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => ended.abort());
  }
  const begun = performance.now();
  const use = await bringUp();
  try {
    return await runTests(files.length > 0 ? files : [E2E_TESTS.pathname], ended.signal);
  } finally {
    await bringDown(use);
    report(`done in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  }
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  if (!(error instanceof StackError)) throw error;
  report(error.message);
  Deno.exit(1);
}
