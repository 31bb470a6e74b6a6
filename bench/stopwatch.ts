import { BenchError } from "./bench_error.ts";

/** What one run of a program took. */
export interface Measurement {
  /** Wall-clock time in seconds. */
  readonly seconds: number;
  /** Processor time in seconds, user and system, of all its processes. */
  readonly cpuSeconds: number;
  /** Peak resident memory in bytes, of the largest process. */
  readonly peakBytes: number;
}

/** A program to run. */
export interface Run {
  readonly argv: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Program whose output is the standard input; none when left out. */
  readonly source?: readonly string[];
  /** A process that works for it and whose processor time counts as well. */
  readonly daemon?: number;
}

/** What is done with a program's standard output. */
export type Output =
  /** Returned as text. */
  | "text"
  /** Read from a pipe by another program, and forgotten. */
  | "pipe";

/** A run that has ended. */
export interface Finished {
  readonly measurement: Measurement;
  /** Empty for a pipe. */
  readonly stdout: string;
}

/** Ticks of processor time in a second, as Linux shows them to programs. */
const TICKS_PER_SECOND = 100;

/** Runs programs under GNU time, which sees what they need. */
export class Stopwatch {
  readonly #time: string;

  private constructor(time: string) {
    this.#time = time;
  }

  /** @throws {BenchError} when GNU time is missing */
  static async find(): Promise<Stopwatch> {
    for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
      try {
        const { stderr } = await new Deno.Command(`${folder}/time`, {
          args: ["-v", "true"],
          stdin: "null",
          stdout: "null",
          stderr: "piped",
        }).output();
        if (new TextDecoder().decode(stderr).includes("Maximum resident")) {
          return new Stopwatch(`${folder}/time`);
        }
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    throw new BenchError('No GNU time on PATH: install the package "time"');
  }

  /** @throws {Error} when the program fails */
  async measure(run: Run, output: Output = "text"): Promise<Finished> {
    // What the run before has left to be written must not slow this one.
    await new Deno.Command("sync").output();
    const report = await Deno.makeTempFile({ prefix: "bench-time-" });
    try {
      const ticks = await daemonTicks(run);
      const [program = "", ...args] = this.#commandLine(run, output, report);
      const start = performance.now();
      const ended = await new Deno.Command(program, {
        args,
        clearEnv: true,
        env: { ...run.env },
        stdin: "null",
        stdout: output === "text" ? "piped" : "null",
        stderr: "piped",
      }).output();
      const seconds = (performance.now() - start) / 1000;
      const decoder = new TextDecoder();
      const text = await Deno.readTextFile(report);
      // Of a pipe, the exit code is the reader's; the report has the program's.
      if (!ended.success || figure(text, "Exit status") !== 0) {
        const tail = decoder.decode(ended.stderr).slice(-2000);
        throw new Error(`${run.argv.join(" ")} failed:\n${tail}`);
      }
      const daemonSeconds = (await daemonTicks(run) - ticks) / TICKS_PER_SECOND;
      return {
        measurement: {
          seconds,
          cpuSeconds: figure(text, "User time (seconds)") +
            figure(text, "System time (seconds)") + daemonSeconds,
          peakBytes: figure(text, "Maximum resident set size (kbytes)") * 1024,
        },
        stdout: output === "text" ? decoder.decode(ended.stdout) : "",
      };
    } finally {
      await Deno.remove(report);
    }
  }

  #commandLine(run: Run, output: Output, report: string): readonly string[] {
    const timed = [this.#time, "-v", "-o", report, ...fed(run)];
    if (output === "text") return timed;
    return ["/bin/sh", "-c", '"$@" | cat > /dev/null', "sh", ...timed];
  }
}

/**
 * The command line with the source in it. A shell joins the two, so that bytes go from one to the
 * other without passing here; it is within the measurement, because a program that starts its source
 * itself is measured together with it as well.
 */
export function fed({ argv, source }: Run): readonly string[] {
  if (source === undefined) return argv;
  return ["/bin/sh", "-c", `${source.map(quote).join(" ")} | "$@"`, "sh", ...argv];
}

function figure(report: string, name: string): number {
  const line = report.split("\n").find((line) => line.trimStart().startsWith(`${name}: `));
  const value = Number(line?.slice(line.lastIndexOf(": ") + 2) ?? NaN);
  if (Number.isNaN(value)) throw new Error(`GNU time has not reported "${name}":\n${report}`);
  return value;
}

async function daemonTicks({ daemon }: Run): Promise<number> {
  if (daemon === undefined) return 0;
  const stat = await Deno.readTextFile(`/proc/${daemon}/stat`);
  // After the name, which may have anything in it: user time is the 12th field, system time the 13th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** The middle value; the mean of both middle values of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? NaN;
  return (upper + lower) / 2;
}

/** An argument as a shell takes it. */
export function quote(argument: string): string {
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
