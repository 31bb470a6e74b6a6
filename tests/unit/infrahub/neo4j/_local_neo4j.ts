/** A process that plays Neo4j on this machine, and the way to it. */

import type { CommandInput, Environment } from "../../../../src/environment/mod.ts";
import { feedCommand } from "../../../../src/environment/command/command_input.ts";
import { type Clock, systemClock } from "../../../../src/infrahub/mod.ts";
import { failure, FakeEnvironment } from "../fake_environment.ts";
import { withTempDirectory } from "../_support.ts";

/** Longest wait for what must happen; only a broken program waits so long. */
const LIMIT_MS = 60_000;

/** Real time, but nobody waits long between two looks. */
export const impatientClock: Clock = {
  now: systemClock.now,
  sleep: (milliseconds, signal) =>
    systemClock.sleep(milliseconds > 10_000 ? milliseconds : 10, signal),
};

/** Runs what is for the database here; `cypher-shell` always answers. */
export class LocalEnvironment extends FakeEnvironment {
  readonly #hasBash: boolean;

  constructor(hasBash = true) {
    super();
    this.#hasBash = hasBash;
  }

  override async run(
    service: string,
    argv: readonly string[],
    options: { signal?: AbortSignal } = {},
  ): Promise<string> {
    this.#note("run", service, argv);
    options.signal?.throwIfAborted();
    if (argv[0] === "cypher-shell") return "1\n1";
    const [program = "", ...args] = this.#adapt(argv);
    const output = await new Deno.Command(program, { args, stdin: "null" }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    if (!output.success) throw failure(argv, output.code, text(output.stderr));
    return text(output.stdout);
  }

  override async streamIn(
    service: string,
    argv: readonly string[],
    options: Parameters<Environment["streamIn"]>[2],
  ): Promise<CommandInput> {
    this.#note("in", service, argv);
    return await Promise.resolve(feedCommand({ argv: this.#adapt(argv), ...options }));
  }

  /** The work directory of the run. */
  get directory(): string {
    const argv = this.calls.find(({ argv }) => argv[0] === "mkdir")?.argv;
    return argv?.at(-1) ?? "";
  }

  #adapt(argv: readonly string[]): readonly string[] {
    return this.#hasBash
      ? argv
      : argv.map((argument) => argument.replace("command -v bash", "command -v no-such-shell"));
  }

  #note(kind: "run" | "in", service: string, argv: readonly string[]): void {
    const command = argv.join(" ");
    this.calls.push({ kind, service, command, argv, user: undefined, env: {}, secrets: {} });
  }
}

/** A process that plays Neo4j. */
export interface Victim {
  readonly pid: number;
  readonly pidFile: string;
  /** State letter, or `gone`. */
  state(): string;
  readonly ended: Promise<unknown>;
}

/**
 * What Neo4j does when it is told to stop, but the moment between "databases closed" and "process
 * gone" lasts until it is resumed: whether a short one is caught is a matter of luck, and so none of
 * a unit test. scripts/e2e/watchdog_trials.ts measures that.
 */
export const CLOSES_DATABASES = 'trap "exit 0" CONT; rm -f "$1"; while :; do sleep 0.02; done';

/** Has a process play Neo4j; `onTerm` is what it does when it is told to stop. */
export async function withVictim(
  onTerm: string,
  action: (victim: Victim) => Promise<void>,
): Promise<void> {
  await withTempDirectory(async (directory) => {
    const pidFile = `${directory}/neo4j.pid`;
    const script = `trap '${onTerm}' TERM; echo $$ >"$1.new"; mv "$1.new" "$1"
      while :; do sleep 0.02; done`;
    const child = new Deno.Command("sh", { args: ["-c", script, "sh", pidFile], stdin: "null" })
      .spawn();
    const ended = child.status;
    try {
      await until("the PID file", () => exists(pidFile));
      await action({ pid: child.pid, pidFile, state: () => stateOf(child.pid), ended });
    } finally {
      for (const signal of ["SIGCONT", "SIGKILL"] as const) {
        try {
          child.kill(signal);
        } catch {
          // It has ended, as it should.
        }
      }
      await ended;
    }
  });
}

/** State letter of a process, or `gone`. */
export function stateOf(pid: number): string {
  return stat(pid)[0] ?? "gone";
}

/** When a process was started, as the watchdog wants it. */
export function startTimeOf(pid: number): string {
  return stat(pid)[19] ?? "";
}

function stat(pid: number): string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").trim().split(" ");
  } catch {
    return []; // There is no such process.
  }
}

/** Waits until something has happened. @throws {Error} when it does not. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = systemClock.now() + LIMIT_MS;
  while (!await condition()) {
    if (systemClock.now() > deadline) throw new Error(`${what} did not come`);
    await systemClock.sleep(5);
  }
}

/** Whether there is such a file. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Watchdogs that are still about. */
export async function watchdogs(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const line = await Deno.readTextFile(`/proc/${name}/cmdline`);
      if (line.includes("infrahub-watchdog") && line.includes(directory)) found.push(name);
    } catch {
      // Processes come and go.
    }
  }
  return found;
}
