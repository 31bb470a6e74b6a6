import { PeerError } from "../peers.ts";

/** What one run of a program took. */
export interface Measurement {
  /** Wall-clock time in seconds. */
  readonly seconds: number;
  /** Peak resident memory in bytes, of the largest process. */
  readonly peakBytes: number;
  /** What it wrote to standard output; empty unless asked for. */
  readonly stdout: string;
}

/** A program to run. */
export interface Run {
  readonly argv: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Program whose output is the standard input; none when left out. */
  readonly source?: readonly string[];
  /** @default {false} */
  readonly keepOutput?: boolean;
}

/** Runs programs under GNU time, which sees what they need. */
export class Stopwatch {
  readonly #time: string;

  private constructor(time: string) {
    this.#time = time;
  }

  /** @throws {PeerError} when GNU time is missing */
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
    throw new PeerError('No GNU time on PATH: install the package "time"');
  }

  /** @throws when the program fails */
  async measure(run: Run): Promise<Measurement> {
    const report = await Deno.makeTempFile({ prefix: "bench-time-" });
    try {
      const timed = [this.#time, "-v", "-o", report, ...run.argv];
      // A shell joins the two, so that bytes go from one to the other without passing here.
      const [program = "", ...args] = run.source === undefined
        ? timed
        : ["/bin/sh", "-c", `${run.source.map(quote).join(" ")} | exec "$@"`, "sh", ...timed];
      const start = performance.now();
      const output = await new Deno.Command(program, {
        args,
        clearEnv: true,
        env: { ...run.env },
        stdin: "null",
        stdout: run.keepOutput ? "piped" : "null",
        stderr: "piped",
      }).output();
      const seconds = (performance.now() - start) / 1000;
      const decoder = new TextDecoder();
      if (!output.success) {
        const tail = decoder.decode(output.stderr).slice(-2000);
        throw new Error(`${run.argv.join(" ")} exited ${output.code}:\n${tail}`);
      }
      const peak = /Maximum resident set size \(kbytes\): (\d+)/.exec(
        await Deno.readTextFile(report),
      );
      if (peak === null) throw new Error("GNU time has not reported the memory");
      const stdout = run.keepOutput ? decoder.decode(output.stdout) : "";
      return { seconds, peakBytes: Number(peak[1]) * 1024, stdout };
    } finally {
      await Deno.remove(report);
    }
  }
}

/** The middle value; the mean of both middle values of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? NaN;
  return (upper + lower) / 2;
}

function quote(argument: string): string {
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
