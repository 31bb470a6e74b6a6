/**
 * Measures whole runs of the program beside plakar, restic and borg, with the same bytes through a
 * pipe: first, unchanged and changed backup, check, restore; its memory by length of the stream; and
 * how it does with a large index and many backups. Prints Markdown tables.
 *
 * ```sh
 * deno task bench [--quick] [--write=docs] [--runs=5] [--no-peers] [--folder=/var/tmp]
 *   [--data=random,postgres,neo4j-store,neo4j-dump] [--random=1G] [--postgres=512M]
 *   [--nodes=300000] [--sizes=1G,8G | --sizes=none] [--no-scale]
 * ```
 *
 * | option | what |
 * | --- | --- |
 * | `--quick` | a trial of the script itself: tiny data sets, one run, and Neo4j only if `--data` names it |
 * | `--write` | writes `benchmarks.md` and `benchmarks.svg` to the folder as well |
 * | `--data` | the data sets that are compared |
 * | `--random`, `--postgres`, `--nodes` | how large they are: bytes, about as many bytes, values in the graph |
 * | `--sizes` | streams of which the memory is measured |
 * | `--no-scale` | leaves out `bench/scale/index_scale.ts` and `bench/scale/list_scale.ts` |
 *
 * A program or data set that cannot be had is left out, with a line that says how to install it.
 * Needs GNU time, and free space of twice the largest stream and some GiB in the folder. Runs the
 * executable that `INFRAHUB_BACKUP_BINARY` names instead of the sources, where it is set.
 *
 * Exits 1 when the program needs more than 256 MiB of memory, or a program has not given back the
 * bytes that it got.
 *
 * @module
 */

import { BenchError } from "./bench_error.ts";
import { speedChart } from "./report/chart.ts";
import { CommandLog, compare, WrongBytesError } from "./peers/comparison.ts";
import type { Contender } from "./peers/contender.ts";
import { startContenders } from "./peers/contenders.ts";
import type { DataSet } from "./data/data_set.ts";
import { goalsOf, size } from "./report/goals.ts";
import { describeMachine } from "./report/machine.ts";
import { Stopwatch } from "./stopwatch.ts";
import {
  highestPeak,
  measureMemory,
  MEMORY_LIMIT_BYTES,
  type MemoryOutcome,
} from "./scale/memory.ts";
import { makeNeo4jData } from "./data/neo4j_data.ts";
import { OurTool } from "./peers/our_tool.ts";
import { Outcomes } from "./outcomes.ts";
import { makePostgresData } from "./data/postgres_data.ts";
import { makeRandomData } from "./data/random_data.ts";
import {
  goalTable,
  markdownReport,
  memoryTable,
  outcomeTable,
  scaleTable,
} from "./report/report.ts";
import { measureScale } from "./scale/scale.ts";
import { StackError } from "../scripts/e2e/stack.ts";
import { PeerError } from "../scripts/peers.ts";
import { print } from "../scripts/print.ts";
import { findTool, ROOT } from "../scripts/tool.ts";
import { readSettings, type Settings } from "./settings.ts";

/** For whoever waits; the tables go to standard output. */
function progress(message: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`bench: ${message}\n`));
}

/** All that a run of the benchmark has and finds out. */
class Bench {
  readonly #settings: Settings;
  readonly #folder: string;
  readonly #stopwatch: Stopwatch;
  readonly #outcomes = new Outcomes();
  readonly #commands: CommandLog;
  readonly #data: DataSet[] = [];
  readonly #missing: string[] = [];
  readonly #tools: string[] = [];

  constructor(settings: Settings, folder: string, stopwatch: Stopwatch) {
    this.#settings = settings;
    this.#folder = folder;
    this.#stopwatch = stopwatch;
    this.#commands = new CommandLog(folder);
  }

  /** @returns whether the memory stayed within the limit */
  async run(): Promise<boolean> {
    const { runs, scale, quick } = this.#settings;
    const contenders = await startContenders(
      this.#folder,
      this.#settings.peers,
      (message) => this.#leaveOut(message),
    );
    try {
      const memory = await this.#memory();
      await this.#comparison(contenders);
      const results = {
        outcomes: this.#outcomes,
        memory,
        ...(scale
          ? { scale: await (quick ? measureScale(0.1, 20, runs) : measureScale(10, 1000, runs)) }
          : {}),
      };
      if (results.scale) print(`\nScale:\n\n${scaleTable(results.scale)}`);
      const goals = goalsOf(results);
      print(`\nWhat has to be reached:\n\n${goalTable(goals)}`);
      if (this.#settings.write !== undefined) {
        const programs = contenders.map(({ name, version }) => ({ name, version }));
        const report = markdownReport(results, goals, {
          date: new Date(),
          machine: await describeMachine(),
          runs,
          quick,
          programs,
          tools: this.#tools,
          data: this.#data,
          missing: this.#missing,
          commands: this.#commands.lines,
        });
        const names = programs.map(({ name }) => name);
        const chart = speedChart(this.#data, this.#outcomes, names);
        await this.#write(this.#settings.write, report, chart);
      }
      return memory.length === 0 || highestPeak(memory) <= MEMORY_LIMIT_BYTES;
    } finally {
      for (const contender of contenders) await contender[Symbol.asyncDispose]();
    }
  }

  #leaveOut(message: string): void {
    this.#missing.push(message);
    print(`\nLeft out: ${message}\n`);
  }

  async #memory(): Promise<MemoryOutcome[]> {
    const { sizes, runs } = this.#settings;
    if (sizes.length === 0) return [];
    const memory = await measureMemory(await OurTool.start(this.#folder), sizes, {
      stopwatch: this.#stopwatch,
      folder: this.#folder,
      runs,
      onProgress: progress,
    });
    const peak = highestPeak(memory);
    print(
      `\nMemory:\n\n${memoryTable(memory)}\nHighest peak: ${size(peak)}, ` +
        `${peak <= MEMORY_LIMIT_BYTES ? "within" : "ABOVE"} ${size(MEMORY_LIMIT_BYTES)}\n`,
    );
    return memory;
  }

  async #comparison(contenders: readonly Contender[]): Promise<void> {
    const { data: wanted, randomBytes, postgresBytes, nodes } = this.#settings;
    const names = contenders.map(({ name }) => name);
    const measure = async (data: DataSet) => {
      await compare(data, {
        contenders,
        stopwatch: this.#stopwatch,
        folder: this.#folder,
        runs: this.#settings.runs,
        outcomes: this.#outcomes,
        commands: this.#commands,
        onProgress: progress,
      });
      this.#data.push(data);
      const about = `${data.title}, ${size(data.first.bytes)}`;
      print(`\n${about}:\n\n${outcomeTable(data, this.#outcomes, names)}`);
    };
    if (wanted.includes("random")) {
      await this.#withData("random bytes", async (folder) => {
        await measure(await makeRandomData(folder, randomBytes));
      });
    }
    if (wanted.includes("postgres")) {
      await this.#withData("dumps of PostgreSQL", async (folder) => {
        const { data, version } = await makePostgresData(folder, postgresBytes);
        this.#tools.push(version);
        await measure(data);
      });
    }
    if (wanted.includes("neo4j-store") || wanted.includes("neo4j-dump")) {
      await this.#withData("store and dumps of Neo4j", async (folder) => {
        const { store, dump } = await makeNeo4jData(folder, nodes);
        for (const data of [store, dump]) if (wanted.includes(data.name)) await measure(data);
      });
    }
  }

  /** Calls back with a folder for a data set; one that cannot be had is left out. */
  async #withData(what: string, use: (folder: string) => Promise<void>): Promise<void> {
    const folder = await Deno.makeTempDir({ dir: this.#folder, prefix: "data-" });
    // A server that is not run by root has to get through.
    await Deno.chmod(folder, 0o711);
    try {
      progress(`making ${what}`);
      await use(folder);
    } catch (error) {
      if (!(error instanceof BenchError || error instanceof StackError)) throw error;
      this.#leaveOut(`${what}: ${error.message}`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }

  async #write(folder: string, report: string, chart: string): Promise<void> {
    await Deno.mkdir(folder, { recursive: true });
    const paths = [`${folder}/benchmarks.md`, `${folder}/benchmarks.svg`];
    await Deno.writeTextFile(paths[0] ?? "", report);
    await Deno.writeTextFile(paths[1] ?? "", chart);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--quiet", `--config=${ROOT}deno.json`, ...paths],
      stdin: "null",
    }).output();
    if (!success) throw new Error(`deno fmt failed:\n${new TextDecoder().decode(stderr)}`);
    print(`\nWritten: ${paths.join(", ")}\n`);
  }
}

async function main(): Promise<boolean> {
  const settings = readSettings(Deno.args);
  const stopwatch = await Stopwatch.find();
  const parent = await Deno.realPath(settings.folder);
  const folder = await Deno.makeTempDir({ dir: parent, prefix: "infrahub-backup-bench-" });
  await Deno.chmod(folder, 0o711);
  try {
    print(
      `bench: ${findTool().description}; ${await describeMachine()}; medians of ` +
        `${settings.runs} interleaved runs, highest peaks\n`,
    );
    if (settings.quick) print("A trial with tiny data sets: the figures mean nothing.\n");
    return await new Bench(settings, folder, stopwatch).run();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  let interrupted = false;
  // The programs get Ctrl+C as well: what they had to do fails, and the folder is removed.
  Deno.addSignalListener("SIGINT", () => interrupted = true);
  try {
    Deno.exit(await main() ? 0 : 1);
  } catch (error) {
    if (interrupted) Deno.exit(130);
    const expected = error instanceof BenchError || error instanceof PeerError ||
      error instanceof WrongBytesError;
    if (!expected) throw error;
    print(`bench: ${error.message}\n`);
    Deno.exit(1);
  }
}
