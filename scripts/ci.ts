/**
 * All checks and tests, one after the other, as continuous integration runs them; needs no terminal
 * and no input.
 *
 * ```sh
 * deno run -A scripts/ci.ts                 # what a change has to pass; .ci/run calls this
 * deno run -A scripts/ci.ts lint test s3    # some steps of it
 * deno run -A scripts/ci.ts --all           # "deno task test:all": the whole matrix of failures,
 *                                           # without a time limit
 * ```
 *
 * Wants Debian with git, node, npm and go, and root; installs what else is missing.
 *
 * Goes on after a failure, so that one run shows everything. The last line is
 * `N passed, N failed, N skipped`: tests as `deno test` counts them, and one for each other step.
 * Skipped are ignored tests, ignored steps of tests, and suites for which a slow machine has no time
 * left; the lines above name them. The exit code is 1 when anything failed.
 *
 * Ended by SIGTERM or SIGINT, it ends the step that runs and, where nobody else uses it, the Docker
 * engine of the tests, and says what it knows until then; the step counts as failed, those after it as skipped.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { stopUnused } from "./e2e/engine.ts";
import { exclusively } from "./e2e/folders.ts";
import { installPeer } from "./peers.ts";
import { print, secondsSince } from "./print.ts";
import { ROOT } from "./tool.ts";
import { countTests, failureExcerpt, ignoredTests, type TestCounts } from "./ci/test_output.ts";

/** Seconds: the longest time of one step, and when a run has to be over. */
const STEP_LIMIT = 3300;
const RUN_LIMIT = 5100;

/** Seconds in which a step that is ended has to have ended: it may have an engine to stop. */
const GRACE = 120;

const EXECUTABLE = `${ROOT}dist/infrahub-backup`;

const DENO = Deno.execPath();

/** Something that passes or fails. */
interface Step {
  readonly name: string;
  readonly argv: readonly string[];
  /** Its tests are counted; a step without counts as one. */
  readonly tests?: true;
  /** Runs the compiled program where there is one, else the sources. */
  readonly compiled?: true;
  /**
   * Seconds that it takes on the machine that `deno task test` takes {@linkcode TEST_SECONDS} on. A
   * step that says so is left out where it would not end in time.
   */
  readonly seconds?: number;
  /** Further variables of its environment. */
  readonly env?: () => Promise<Record<string, string>>;
}

/** What `deno task test` takes on the machine that the steps' times are of. */
const TEST_SECONDS = 520;

function task(name: string, ...args: string[]): string[] {
  return [DENO, "task", name, ...args];
}

/** The end-to-end test files of these names. Not by its task: signals have to reach the script. */
function endToEnd(...names: string[]): string[] {
  const files = names.map((name) => `tests/e2e/${name}_test.ts`);
  return [DENO, "run", "-A", "scripts/e2e/suite.ts", ...files];
}

/**
 * All steps, in their order: what is quick and what most changes break come first.
 *
 * No suite runs twice. Whatever runs the program as a process runs the executable, because that is
 * what users run, and because the command line from its sources is already what `test` runs; in both
 * cases the tests' own calls of the engine are of the sources. The test of re-framed dumps takes the
 * sources by itself, as the executable's older runtime lacks Zstandard.
 */
const STEPS: readonly Step[] = [
  { name: "format", argv: [DENO, "fmt", "--check"] },
  { name: "lint", argv: task("lint") },
  { name: "types", argv: task("check") },
  { name: "kernels", argv: task("kernels", "--check") },
  { name: "docs", argv: task("docs", "--check") },
  // This very command is what others are told to run; here with plakar as a further judge of
  // backups that were killed.
  {
    name: "test",
    argv: ["npx", "--yes", "deno@2.9.6", "task", "test"],
    tests: true,
    env: async () => ({ PLAKAR: await installPeer("plakar") }),
  },
  { name: "compile", argv: ["bash", ".ci/compile.sh"] },
  { name: "executable", argv: task("test:compiled"), tests: true, compiled: true },
  { name: "demo", argv: task("demo"), compiled: true },
  { name: "interop", argv: task("test:interop"), tests: true, compiled: true },
  { name: "operations", argv: task("test:operations"), tests: true, compiled: true },
  { name: "postgres", argv: task("test:postgres"), tests: true },
  { name: "redis", argv: task("test:redis"), tests: true },
  { name: "s3", argv: task("test:s3"), tests: true, compiled: true },
  { name: "deployments", argv: task("test:deployments"), tests: true, compiled: true },
  // What the end-to-end tests stand on; on a new machine it takes some minutes to make.
  { name: "images", argv: [DENO, "run", "-A", "scripts/e2e/stack.ts", "images"] },
  {
    name: "e2e",
    argv: endToEnd(
      "backup_restore",
      "enterprise",
      "kubernetes",
      "reframing",
      "host",
      "watchdog",
      "stack",
      "secrets",
    ),
    tests: true,
    compiled: true,
    seconds: 1_600,
  },
  {
    name: "e2e-failures",
    argv: endToEnd(
      "failures_plakar",
      "failures_tarball",
      "interruptions_plakar",
      "interruptions_tarball",
      "enterprise_failures_plakar",
      "enterprise_failures_tarball",
      "host_failures_plakar",
      "host_failures_tarball",
      "kubernetes_failures_plakar",
      "kubernetes_failures_tarball",
    ),
    tests: true,
    compiled: true,
    seconds: 1_500,
  },
];

/** How a command ended. */
interface Ended {
  /** Undefined when it could not be started. */
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** What a run has found out. */
class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly failures: { readonly name: string; readonly excerpt: string }[] = [];
  readonly left: string[] = [];

  add({ name, tests }: Step, { code, output }: Ended): void {
    const counts: TestCounts = tests
      ? countTests(output)
      : { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, ignored: 0 };
    // A suite may fail without a failed test: types that do not match, no test found, a time limit.
    const broken = counts.failed === 0 && (code !== 0 || counts.passed === 0);
    const failed = broken ? 1 : counts.failed;
    this.passed += counts.passed;
    this.failed += failed;
    this.skipped += counts.ignored;
    if (counts.ignored > 0) {
      this.left.push(`${name}: ${counts.ignored} ignored`);
      this.left.push(...ignoredTests(output).map((test) => `  ${test}`));
    }
    if (failed > 0) this.failures.push({ name, excerpt: failureExcerpt(output) });
  }

  leaveOut({ name, argv, tests }: Step, reason: string): void {
    // How many tests are in its files nobody knows before they run: each file counts as one.
    const files = tests ? argv.filter((argument) => argument.endsWith("_test.ts")) : [];
    this.skipped += Math.max(files.length, 1);
    this.left.push(`${name}: not run, ${reason}`, ...files.map((file) => `  ${file}`));
  }

  report(): void {
    for (const { name, excerpt } of this.failures) print(`\n=== failed: ${name}\n${excerpt}\n`);
    if (this.left.length > 0) print(`\n=== skipped\n${this.left.join("\n")}\n`);
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : "";
    print(`\n${this.passed} passed, ${this.failed} failed${skipped}\n`);
  }
}

/** One run of the steps. */
class Run {
  readonly #all: boolean;
  readonly #start = performance.now();
  #child: Deno.ChildProcess | undefined;
  #interrupted = false;
  /** Whether a step was ended before its time. */
  #endedStep = false;
  /** How much slower this machine is than the one that the steps' times are of. */
  #slowness = 1;
  #compiled = false;

  /** @param all the whole matrix, without a time limit */
  constructor(all: boolean) {
    this.#all = all;
  }

  /** Ends the step that runs; no other begins. */
  interrupt(): void {
    this.#interrupted = true;
    this.#child?.kill("SIGTERM");
  }

  async steps(steps: readonly Step[]): Promise<Tally> {
    const tally = new Tally();
    const before = await changes();
    // An executable of an earlier run stands for the sources as they were then.
    this.#compiled = !steps.some(({ name }) => name === "compile") && await isFile(EXECUTABLE);
    try {
      for (const step of steps) {
        const reason = this.#reasonAgainst(step);
        if (reason !== undefined) tally.leaveOut(step, reason);
        else tally.add(step, await this.#step(step));
      }
    } finally {
      // A step that was ended may have had no time for it; any other has done it itself.
      if (this.#endedStep) await exclusively(stopUnused);
    }
    // Such as a lock file that lacks a package, or a test that leaves something behind.
    const after = await changes();
    const same = before === after;
    const tree: Step = { name: "unchanged-tree", argv: [] };
    tally.add(tree, { code: same ? 0 : 1, output: after, seconds: 0 });
    return tally;
  }

  #reasonAgainst({ seconds }: Step): string | undefined {
    if (this.#interrupted) return "because the run was interrupted";
    if (this.#all) return undefined;
    const left = RUN_LIMIT - secondsSince(this.#start);
    const needed = Math.max((seconds ?? 0) * this.#slowness, 10);
    if (left > needed) return undefined;
    return `for want of time: it takes about ${needed.toFixed(0)} s, ${left.toFixed(0)} s are left`;
  }

  async #step(step: Step): Promise<Ended> {
    const { name, argv } = step;
    print(`\n=== ${name}: ${argv.join(" ").replaceAll(DENO, "deno")}\n`);
    let ended: Ended;
    try {
      ended = await this.#run(argv, {
        NO_COLOR: "1",
        npm_config_update_notifier: "false",
        ...(this.#all ? {} : { INFRAHUB_BACKUP_E2E_MATRIX: "short" }),
        ...(step.compiled && this.#compiled ? { INFRAHUB_BACKUP_BINARY: EXECUTABLE } : {}),
        ...await step.env?.(),
      });
    } catch (error) {
      // A peer that cannot be built, a program that is not there.
      const output = error instanceof Error ? error.message : String(error);
      print(`${output}\n`);
      ended = { code: 1, output, seconds: 0 };
    }
    if (name === "compile") this.#compiled = ended.code === 0;
    if (name === "test") this.#slowness = Math.max(1, ended.seconds / TEST_SECONDS);
    print(`\n=== ${name}: exit code ${ended.code} after ${ended.seconds.toFixed(0)} s\n`);
    return ended;
  }

  async #run(argv: readonly string[], env: Record<string, string>): Promise<Ended> {
    const start = performance.now();
    const left = RUN_LIMIT - secondsSince(this.#start);
    const limit = this.#all ? 0 : Math.max(1, Math.min(STEP_LIMIT, Math.floor(left)));
    // timeout gives the command a process group of its own, and passes SIGTERM on to all of it.
    const timed = ["timeout", `--kill-after=${GRACE}`, `${limit}`, ...argv];
    const child = new Deno.Command("sh", {
      args: ["-c", 'exec "$@" 2>&1', "sh", ...timed],
      cwd: ROOT,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#child = child;
    if (this.#interrupted) child.kill("SIGTERM");
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    const reader = child.stdout.getReader();
    const copy = async (): Promise<void> => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        chunks.push(next.value);
        for (let at = 0; at < next.value.length;) {
          at += Deno.stdout.writeSync(next.value.subarray(at));
        }
      }
    };
    const copied = copy();
    const { code } = await child.status;
    // What it has left running may still hold the pipe.
    const patience = setTimeout(() => reader.cancel(), 5_000);
    await copied;
    clearTimeout(patience);
    this.#child = undefined;
    if (this.#interrupted || code === 124 || code === 137) this.#endedStep = true;
    let output = await new Blob(chunks).text();
    if (code === 124) {
      const note = `ended after the limit of ${limit} s`;
      print(`${note}\n`);
      output += `\n${note}\n`;
    }
    return { code, output, seconds: secondsSince(start) };
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** All differences of the clone from its last commit. */
async function changes(): Promise<string> {
  const texts = [["status", "--porcelain"], ["diff", "HEAD"]].map(async (args) => {
    const { stdout } = await new Deno.Command("git", { args, cwd: ROOT, stdin: "null" }).output();
    return new TextDecoder().decode(stdout);
  });
  return (await Promise.all(texts)).join("");
}

async function main(): Promise<number> {
  const { values: { all }, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: { all: { type: "boolean", default: false } },
  });
  const unknown = positionals.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    print(
      `Unknown: ${unknown.join(", ")}; known are ${STEPS.map(({ name }) => name).join(", ")}\n`,
    );
    return 2;
  }
  const run = new Run(all);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => run.interrupt());
  }
  const chosen = STEPS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const tally = await run.steps(chosen);
  tally.report();
  return tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
