/**
 * Measures how often the watchdog of `tests/e2e/watchdog.ts` catches a real Neo4j:
 *
 * ```sh
 * deno run -A scripts/e2e/watchdog_trials.ts [trials] [processors]    # 20, no limit
 * ```
 *
 * `processors` limits the container (`docker update --cpus`), where watchdog and server share them.
 * Prints one line per trial and the rate. Exit code 1 when one was lost.
 *
 * @module
 */

import { Deployment, text } from "../../tests/e2e/deployment.ts";
import { neo4jReady } from "../../tests/e2e/neo4j.ts";
import { freeze, FreezeError } from "../../tests/e2e/watchdog.ts";

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

if (import.meta.main) {
  const trials = Number(Deno.args[0] ?? "20");
  const processors = Deno.args[1];
  await using deployment = await Deployment.start();
  await neo4jReady(deployment);
  if (processors !== undefined) {
    const container = await deployment.container("database");
    await deployment.docker(["update", "--cpus", processors, container]);
  }
  let caught = 0;
  for (let trial = 1; trial <= trials; trial++) {
    const began = performance.now();
    let outcome: string;
    try {
      const frozen = await freeze(deployment);
      outcome = `caught after ${seconds(began)} s`;
      const state = ["sh", "-c", `cut -d' ' -f3 /proc/${frozen.pid}/stat`];
      if (text(await deployment.exec("database", state)) === "T\n") caught++;
      else outcome += ", but it is not stopped";
      await frozen.resume();
    } catch (error) {
      if (!(error instanceof FreezeError)) throw error;
      outcome = error.message;
    }
    const resumed = performance.now();
    await neo4jReady(deployment);
    print(`${trial}: ${outcome}; answers again ${seconds(resumed)} s later`);
  }
  print(`${caught} of ${trials} caught`);
  if (caught < trials) Deno.exitCode = 1;
}
