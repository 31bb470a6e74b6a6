/**
 * Measures whole runs of the program: memory and speed of a backup through a pipe and of reading it
 * back, by size of the stream; and beside other programs, the first and the second backup of the
 * same bytes. Prints Markdown tables.
 *
 * ```sh
 * deno task bench [--quick | --sizes=1G,8G] [--runs=5] [--no-peers] [--folder=/var/tmp]
 * ```
 *
 * Exits 1 when the program needs more than 256 MiB of memory. Needs GNU time, and free space of
 * twice the largest size in the folder. Runs the executable that `INFRAHUB_BACKUP_BINARY` names
 * instead of the sources, where it is set.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { OurTool, startPeers } from "./bench/contenders.ts";
import { type Measurement, median, Stopwatch } from "./bench/measure.ts";
import { folderBytes } from "./demo/digest.ts";
import { PeerError } from "./peers.ts";
import { print } from "./print.ts";
import { findTool } from "./tool.ts";

const MEBIBYTE = 1 << 20;

/** The most memory that the program may need, whatever the size of the stream. */
const MEMORY_LIMIT_BYTES = 256 * MEBIBYTE;

interface Settings {
  /** In bytes. */
  readonly sizes: readonly number[];
  readonly runs: number;
  readonly peers: boolean;
  readonly folder: string;
}

/** The benchmark cannot run; the message says why. */
class BenchError extends Error {
  override readonly name = "BenchError";
}

function readSize(text: string): number {
  const [, count, unit] = /^(\d+)([MG])$/.exec(text) ?? [];
  const bytes = Number(count) * (unit === "G" ? 1024 * MEBIBYTE : MEBIBYTE);
  if (!(bytes > 0)) throw new BenchError(`Not a size such as 64M or 1G: ${text}`);
  return bytes;
}

function readSettings(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      quick: { type: "boolean", default: false },
      sizes: { type: "string" },
      runs: { type: "string", default: "5" },
      peers: { type: "boolean", default: true },
      folder: { type: "string", default: Deno.env.get("TMPDIR") ?? "/tmp" },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new BenchError(`Not a number: ${values.runs}`);
  return {
    sizes: (values.sizes ?? (values.quick ? "1G" : "1G,8G")).split(",").map(readSize),
    runs,
    peers: values.peers,
    folder: values.folder,
  };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MEBIBYTE)} MiB`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  // Text to the left, numbers to the right.
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
      ).join(" | ")
    } |\n`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [head, rule, ...rows].map(line).join("");
}

/** What the runs of one kind took. */
class Runs {
  readonly #bytes: number;
  readonly #measurements: Measurement[] = [];

  /** @param bytes length of the stream */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  add(measurement: Measurement): Measurement {
    this.#measurements.push(measurement);
    return measurement;
  }

  get peakBytes(): number {
    return Math.max(...this.#measurements.map(({ peakBytes }) => peakBytes));
  }

  /** Median time and speed, and the highest peak. */
  cells(): string[] {
    const seconds = median(this.#measurements.map(({ seconds }) => seconds));
    return [
      seconds.toFixed(2),
      (this.#bytes / 1e6 / seconds).toFixed(0),
      mebibytes(this.peakBytes),
    ];
  }
}

class Bench {
  readonly #settings: Settings;
  readonly #folder: string;
  readonly #stopwatch: Stopwatch;
  readonly #ours: OurTool;

  constructor(settings: Settings, folder: string, stopwatch: Stopwatch) {
    this.#settings = settings;
    this.#folder = folder;
    this.#stopwatch = stopwatch;
    this.#ours = new OurTool(folder);
  }

  /** Calls back with a place for a repository, which is removed afterwards. */
  async #withRepository(use: (repository: string) => Promise<void>): Promise<void> {
    const folder = await Deno.makeTempDir({ dir: this.#folder });
    try {
      await use(`${folder}/repository`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }

  /** @returns whether the memory stayed within the limit */
  async memory(): Promise<boolean> {
    const kinds = this.#settings.sizes.map((bytes) => ({
      bytes,
      backup: new Runs(bytes),
      cat: new Runs(bytes),
    }));
    for (let run = 1; run <= this.#settings.runs; run++) {
      for (const { bytes, backup, cat } of kinds) {
        await this.#withRepository(async (repository) => {
          const { stdout } = backup.add(
            await this.#stopwatch.measure(this.#ours.backup(repository, bytes, run)),
          );
          const { components }: { components: { snapshot_id: string }[] } = JSON.parse(stdout);
          const id = components[0]?.snapshot_id ?? "";
          cat.add(await this.#stopwatch.measure(this.#ours.cat(repository, id)));
        });
      }
    }
    const rows = kinds.flatMap(({ bytes, backup, cat }) => [
      [`back up ${mebibytes(bytes)} from a pipe`, ...backup.cells()],
      [`read ${mebibytes(bytes)} back, verified`, ...cat.cells()],
    ]);
    print(table(["infrahub-backup", "s", "MB/s", "peak memory"], rows));
    const peak = Math.max(...kinds.flatMap(({ backup, cat }) => [backup.peakBytes, cat.peakBytes]));
    const within = peak <= MEMORY_LIMIT_BYTES;
    print(
      `\nHighest peak: ${mebibytes(peak)}, ${within ? "within" : "ABOVE"} the limit of ` +
        `${mebibytes(MEMORY_LIMIT_BYTES)}\n`,
    );
    return within;
  }

  /** Compares with the programs of others, at the first size. */
  async comparison(): Promise<void> {
    const bytes = this.#settings.sizes[0] ?? 0;
    const peers = await startPeers(this.#folder, (message) => print(`\n${message}\n`));
    try {
      const kinds = [this.#ours, ...peers].map((contender) => ({
        contender,
        first: new Runs(bytes),
        second: new Runs(bytes),
        stored: 0,
        added: 0,
      }));
      for (let run = 1; run <= this.#settings.runs; run++) {
        for (const kind of kinds) {
          await this.#withRepository(async (repository) => {
            await kind.contender.prepare(repository);
            const backUp = () =>
              this.#stopwatch.measure(kind.contender.backup(repository, bytes, run));
            kind.first.add(await backUp());
            kind.stored = await folderBytes(repository);
            kind.second.add(await backUp());
            kind.added = await folderBytes(repository) - kind.stored;
          });
        }
      }
      const head = ["MB/s", "peak memory", "stored"];
      print(`\nThe same ${mebibytes(bytes)} of random bytes from a pipe, twice:\n\n`);
      print(table(
        ["program", ...head, ...head.map((title) => `2nd: ${title}`)],
        kinds.map(({ contender, first, second, stored, added }) => [
          contender.name,
          ...first.cells().slice(1),
          mebibytes(stored),
          ...second.cells().slice(1),
          mebibytes(added),
        ]),
      ));
    } finally {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
    }
  }
}

async function main(): Promise<boolean> {
  const settings = readSettings(Deno.args);
  const stopwatch = await Stopwatch.find();
  const parent = await Deno.realPath(settings.folder);
  const folder = await Deno.makeTempDir({ dir: parent, prefix: "infrahub-backup-bench-" });
  try {
    print(
      `bench: ${findTool().description}; ${navigator.hardwareConcurrency} cores; medians of ` +
        `${settings.runs} interleaved runs, highest peaks\n\n`,
    );
    const bench = new Bench(settings, folder, stopwatch);
    const within = await bench.memory();
    if (settings.peers) await bench.comparison();
    return within;
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
    if (!(error instanceof BenchError || error instanceof PeerError)) throw error;
    print(`bench: ${error.message}\n`);
    Deno.exit(1);
  }
}
