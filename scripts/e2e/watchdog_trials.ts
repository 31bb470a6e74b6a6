/**
 * Measures how often the product's watchdog holds a real Neo4j Community, in the moment between
 * "databases closed" and "process gone":
 *
 * ```sh
 * deno run -A scripts/e2e/watchdog_trials.ts [trials] [busy]    # 20 trials, 0 busy processes
 * ```
 *
 * `busy` processes loop on this machine meanwhile. Prints one line per trial and the rate; a race
 * that was lost and tried again counts as lost. Exit code 1 when one was.
 *
 * One measurement, November 2026, Neo4j 5.26.12, two cores shared with other test runs, whose load is
 * the machine's load average when the trial was over, no busy processes of its own: 17 of 17 held,
 * 5 with a load from 6 to 10, 12 with one from 16 to 44. A quiet machine has not been measured, nor
 * one without bash in the container.
 *
 * @module
 */

import { Deployment, text } from "../../tests/e2e/deployment.ts";
import { holdNeo4j, PID_FILE } from "../../tests/e2e/hold.ts";
import { neo4jReady } from "../../tests/e2e/neo4j.ts";

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

/** The machine's load average of the last minute. */
function load(): string {
  return Deno.loadavg()[0]?.toFixed(1) ?? "?";
}

/** Processes that do nothing, without a pause. */
class BusyProcesses implements Disposable {
  readonly #children: readonly Deno.ChildProcess[];

  constructor(count: number) {
    this.#children = Array.from(
      { length: count },
      () => new Deno.Command("sh", { args: ["-c", "while :; do :; done"] }).spawn(),
    );
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }
}

/** @param losses gets what went wrong */
async function trial(deployment: Deployment, losses: string[]): Promise<string> {
  const pid = text(await deployment.exec("database", ["cat", PID_FILE])).trim();
  const began = performance.now();
  const held = await holdNeo4j(deployment, {
    debug: () => {},
    info: () => {},
    warn: (message) => losses.push(message),
  });
  const taken = seconds(began);
  if (losses.length === 0) {
    const state = ["sh", "-c", `cut -d' ' -f3 /proc/${pid}/stat`];
    const letter = text(await deployment.exec("database", state)).trim();
    if (letter !== "T") losses.push(`said to be held, but in state ${letter}`);
  }
  const resumed = performance.now();
  await held.resume();
  return `held after ${taken} s; answers again ${seconds(resumed)} s later`;
}

if (import.meta.main) {
  const trials = Number(Deno.args[0] ?? "20");
  const busy = Number(Deno.args[1] ?? "0");
  await using deployment = await Deployment.start();
  await neo4jReady(deployment);
  using _processes = new BusyProcesses(busy);
  let caught = 0;
  for (let number = 1; number <= trials; number++) {
    const losses: string[] = [];
    const outcome = await trial(deployment, losses);
    if (losses.length === 0) caught++;
    print(`${number}: ${[...losses, outcome].join("; ")} (load ${load()})`);
  }
  print(`${caught} of ${trials} caught`);
  if (caught < trials) Deno.exitCode = 1;
}
