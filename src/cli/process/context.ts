import process from "node:process";
import {
  detectEnvironment,
  type DetectOptions,
  type Environment,
  type FoundEnvironments,
  listEnvironments,
} from "../../environment/mod.ts";
import { type Clock, systemClock } from "../../infrahub/mod.ts";
import { giveUpRights, LATER_VARIABLES, type Right } from "./rights.ts";
import { askSecret, confirm } from "./terminal.ts";

/** What a run of the program takes from, and leaves in, the world around it. */
export interface CliContext {
  /** Reads one environment variable. */
  readonly env: (name: string) => string | undefined;
  /** Writes a result to standard output. */
  readonly writeOut: (text: string) => void;
  /** Writes bytes to standard output, all of them. */
  readonly writeOutBytes: (bytes: Uint8Array) => Promise<void>;
  /** Writes logs, errors and help after errors to standard error. */
  readonly writeError: (text: string) => void;
  readonly stderrIsTerminal: boolean;
  /** Width of the terminal that standard error is. */
  readonly columns: () => number;
  /** Asks the user for a secret, in bytes; undefined where there is no terminal. */
  readonly askSecret: (prompt: string) => Promise<Uint8Array | undefined>;
  /** Asks the user whether to go on; undefined where there is no terminal. */
  readonly confirm: (question: string) => Promise<boolean | undefined>;
  /** Name of this host, recorded in snapshots. */
  readonly hostname: () => string;
  readonly now: () => Date;
  readonly clock: Clock;
  /** Calls again and again, without keeping the program from ending; the result ends it. */
  readonly repeat: (milliseconds: number, action: () => void) => () => void;
  /** Id of this process. */
  readonly pid: number;
  /** Name under which the program was called. */
  readonly program: string;
  readonly workingDirectory: () => string;
  /** See {@linkcode detectEnvironment}. */
  readonly detectEnvironment: (options: DetectOptions) => Promise<Environment>;
  /** See {@linkcode listEnvironments}. */
  readonly listEnvironments: (options: DetectOptions) => Promise<FoundEnvironments>;
  /**
   * Gives up rights for good. The host's name, and the variables that are asked for late, are known
   * all the same.
   */
  readonly giveUp: (rights: readonly Right[]) => Promise<void>;
  /** Aborted when the program is asked to end. */
  readonly signal: AbortSignal;
}

/** The context of the running process. */
export function processContext(signal: AbortSignal): CliContext {
  const kept = new Map<string, string | undefined>();
  let hostname: string | undefined;
  return {
    env: (name) => kept.has(name) ? kept.get(name) : Deno.env.get(name),
    writeOut: (text) => writeAllSync(Deno.stdout, text),
    writeOutBytes: async (bytes) => {
      for (let written = 0; written < bytes.length;) {
        written += await Deno.stdout.write(bytes.subarray(written));
      }
    },
    writeError: (text) => {
      try {
        writeAllSync(Deno.stderr, text);
      } catch {
        // Whoever listened is gone, as with a terminal that was closed. What is being put back goes on:
        // a line that nobody can read must not end it.
      }
    },
    stderrIsTerminal: Deno.stderr.isTerminal(),
    columns: () => Deno.consoleSize().columns,
    askSecret: (prompt) => askSecret(prompt, signal),
    confirm: (question) => confirm(question, signal),
    hostname: () => hostname ??= Deno.hostname(),
    now: () => new Date(),
    clock: systemClock,
    repeat: (milliseconds, action) => {
      const timer = setInterval(action, milliseconds);
      Deno.unrefTimer(timer);
      return () => clearInterval(timer);
    },
    pid: Deno.pid,
    // Not the path of the executable: a link to it has a name of its own.
    program: process.argv0.replace(/^.*\//, ""),
    workingDirectory: () => Deno.cwd(),
    detectEnvironment,
    listEnvironments,
    giveUp: async (rights) => {
      if (rights.includes("sys")) hostname ??= Deno.hostname();
      if (rights.includes("env")) {
        for (const name of LATER_VARIABLES) kept.set(name, Deno.env.get(name));
      }
      await giveUpRights(rights);
    },
    signal,
  };
}

function writeAllSync(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += stream.writeSync(bytes.subarray(written));
  }
}
