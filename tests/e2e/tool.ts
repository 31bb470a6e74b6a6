/**
 * The program as an operator runs it, against a test deployment.
 *
 * @module
 */

import { findTool } from "../../scripts/tool.ts";
import type { TestBed } from "./bed.ts";

/** How a run ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the program is pointed at. */
export type ToolTarget = Pick<TestBed, "toolArguments" | "toolEnvironment">;

/** Settings of a run. */
export interface ToolOptions {
  /** Further variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** From the sources in any case: the executable of the tests is of an older runtime. */
  readonly sources?: boolean;
}

/** Settings of a run that is watched. */
export interface WatchOptions extends ToolOptions {
  /** The first client program with arguments that match waits until the gate is opened. */
  readonly gate?: RegExp;
}

const EVENT_TIMEOUT_MS = 600_000;
const END_TIMEOUT_MS = 300_000;
const POLL_MS = 10;

function command(
  target: ToolTarget,
  args: readonly string[],
  options: ToolOptions,
): Deno.Command {
  const { argv: [program, ...first], env } = findTool(options);
  return new Deno.Command(program, {
    args: [...first, ...target.toolArguments, ...args],
    clearEnv: true,
    env: {
      // The executable needs nothing; docker has to be found, and to find its engine.
      PATH: searchPath(),
      ...env,
      ...target.toolEnvironment,
      ...options.env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

function searchPath(): string {
  return Deno.env.get("PATH") ?? "";
}

/** Runs the program on a deployment, to its end. */
export async function runTool(
  target: ToolTarget,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<Outcome> {
  const { code, stdout, stderr } = await command(target, args, options).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs the program; it must exit with 0. */
export async function runToolOk(
  target: ToolTarget,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<Outcome> {
  const outcome = await runTool(target, args, options);
  if (outcome.code !== 0) {
    throw new Error(
      `"${args.join(" ")}" exited ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`,
    );
  }
  return outcome;
}

/** A run of the program that is watched. */
export class RunningTool implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #outcome: Promise<Outcome>;
  #stderr = "";
  #exited = false;

  private constructor(child: Deno.ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#outcome = this.#run();
  }

  /** Starts the program; its client programs note when they are started. */
  static async start(
    bed: Pick<TestBed, "clients"> & ToolTarget,
    args: readonly string[],
    { gate, ...options }: WatchOptions = {},
  ): Promise<RunningTool> {
    const folder = await Deno.makeTempDir({ prefix: "infrahub-backup-clients-" });
    await Deno.writeTextFile(`${folder}/started`, "");
    const path = options.env?.PATH ?? bed.toolEnvironment.PATH ?? searchPath();
    if (gate !== undefined) await Deno.writeTextFile(`${folder}/gate`, "closed");
    for (const name of bed.clients) await writeNotingClient(folder, name, path, gate);
    const env = { ...options.env, PATH: `${folder}:${path}` };
    return new RunningTool(command(bed, args, { ...options, env }).spawn(), folder);
  }

  async #run(): Promise<Outcome> {
    const readErrors = async (): Promise<void> => {
      for await (const part of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
        this.#stderr += part;
      }
    };
    const [stdout, , { code }] = await Promise.all([
      new Response(this.#child.stdout).text(),
      readErrors(),
      this.#child.status,
    ]);
    this.#exited = true;
    return { code, stdout, stderr: this.#stderr };
  }

  /** What has happened until now, line by line; see `Instant.event`. */
  async events(): Promise<string[]> {
    const started = await Deno.readTextFile(`${this.#folder}/started`);
    return [...this.#stderr.split("\n"), ...started.split("\n")].filter((line) => line !== "");
  }

  /** Waits for an event. @throws {Error} when the run ends without it. */
  async reach(event: RegExp): Promise<void> {
    const deadline = performance.now() + EVENT_TIMEOUT_MS;
    while (true) {
      const exited = this.#exited;
      if ((await this.events()).some((line) => event.test(line))) return;
      if (exited || performance.now() > deadline) {
        throw new Error(`The run has not come to ${event}:\n${(await this.events()).join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Lets the client program go on that waits at the gate. */
  async openGate(): Promise<void> {
    await Deno.remove(`${this.#folder}/gate`);
  }

  /** Sends a signal to the program alone, as a service manager or `kill` does. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Resolves when the program has ended. */
  get outcome(): Promise<Outcome> {
    return this.#outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#exited) {
      // It puts the deployment back, so that what has failed does not make others fail.
      this.#child.kill("SIGTERM");
      const killing = setTimeout(() => this.#child.kill("SIGKILL"), END_TIMEOUT_MS);
      await this.#outcome;
      clearTimeout(killing);
    }
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A script that notes its arguments on one line and becomes the program of the same name. */
async function writeNotingClient(
  folder: string,
  name: string,
  path: string,
  gate: RegExp = /^$/,
): Promise<void> {
  const real = await findProgram(name, path);
  const script = `#!/bin/sh
line=$(printf '%s ' "$@" | tr '\\n' ' ')
printf 'started: ${name} %s\\n' "$line" >> '${folder}/started'
if [ -e '${folder}/gate' ] && printf '${name} %s' "$line" | grep -qE '${gate.source}'; then
  while [ -e '${folder}/gate' ]; do sleep 0.05; done
fi
exec '${real}' "$@"
`;
  await Deno.writeTextFile(`${folder}/${name}`, script, { mode: 0o755 });
}

async function findProgram(name: string, path: string): Promise<string> {
  for (const directory of path.split(":")) {
    if (directory === "") continue;
    try {
      if ((await Deno.stat(`${directory}/${name}`)).isFile) return `${directory}/${name}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`No program "${name}" on ${path}`);
}
