import { parseArgs } from "node:util";
import { BenchError } from "./bench_error.ts";
import { DATA_SETS, type DataSetName } from "./data/data_set.ts";

/** What the command line of the benchmark says. */
export interface Settings {
  readonly quick: boolean;
  /** Where the report is written; nowhere when left out. */
  readonly write?: string;
  readonly runs: number;
  readonly peers: boolean;
  readonly folder: string;
  readonly data: readonly DataSetName[];
  /** In bytes. */
  readonly randomBytes: number;
  /** In bytes, about. */
  readonly postgresBytes: number;
  readonly nodes: number;
  /** Lengths of streams in bytes. */
  readonly sizes: readonly number[];
  readonly scale: boolean;
}

function readSize(text: string): number {
  const [, count, unit] = /^(\d+)([MG])$/.exec(text) ?? [];
  const bytes = Number(count) * 2 ** (unit === "G" ? 30 : 20);
  if (!(bytes > 0)) throw new BenchError(`Not a size such as 64M or 1G: ${text}`);
  return bytes;
}

function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new BenchError(`Not a number: ${text}`);
  return count;
}

function readDataSet(text: string): DataSetName {
  const name = DATA_SETS.find((name) => name === text);
  if (name === undefined) {
    throw new BenchError(`Unknown data set "${text}"; known are ${DATA_SETS.join(", ")}`);
  }
  return name;
}

/** Reads a command line. @throws {BenchError} when it makes no sense */
export function readSettings(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      quick: { type: "boolean", default: false },
      write: { type: "string" },
      runs: { type: "string" },
      peers: { type: "boolean", default: true },
      folder: { type: "string", default: Deno.env.get("TMPDIR") ?? "/tmp" },
      data: { type: "string" },
      random: { type: "string" },
      postgres: { type: "string" },
      nodes: { type: "string" },
      sizes: { type: "string" },
      scale: { type: "boolean", default: true },
    },
  });
  const { quick, write, peers, folder, scale } = values;
  const data = values.data ?? (quick ? "random,postgres" : DATA_SETS.join(","));
  const sizes = values.sizes ?? (quick ? "64M" : "1G,8G");
  return {
    quick,
    ...(write === undefined ? {} : { write }),
    runs: readCount(values.runs ?? (quick ? "1" : "5")),
    peers,
    folder,
    data: data.split(",").map(readDataSet),
    randomBytes: readSize(values.random ?? (quick ? "16M" : "1G")),
    postgresBytes: readSize(values.postgres ?? (quick ? "8M" : "512M")),
    nodes: readCount(values.nodes ?? (quick ? "2000" : "300000")),
    sizes: sizes === "none" ? [] : sizes.split(",").map(readSize),
    scale,
  };
}
