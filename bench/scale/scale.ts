import { ROOT } from "../../scripts/tool.ts";

/** Figures of a repository with much in it. */
export interface Scale {
  /** Locations in the index, in millions. */
  readonly millions: number;
  /** From the cache, with all pages: seconds. */
  readonly openSeconds: number;
  /** Resident memory of the process that has opened it, in bytes. */
  readonly memoryBytes: number;
  readonly hitsPerSecond: number;
  readonly missesPerSecond: number;
  readonly groups: number;
  /** `snapshots list` with a cache: seconds. */
  readonly listSeconds: number;
  /** `snapshots list` without a cache: seconds. */
  readonly listColdSeconds: number;
}

/** Runs the scripts of `bench/` that look at scale. */
export async function measureScale(millions: number, groups: number, runs: number): Promise<Scale> {
  const index = await figuresOf("index_scale.ts", [String(millions)]);
  const list = await figuresOf("list_scale.ts", [String(groups), String(runs)]);
  const figure = (figures: Record<string, number>, name: string): number => {
    const value = figures[name];
    if (value === undefined) throw new Error(`A script has not reported "${name}"`);
    return value;
  };
  return {
    millions,
    openSeconds: figure(index, "open: open for a list of 3000 snapshots") +
      figure(index, "open: load of all pages"),
    memoryBytes: figure(index, "open: memory of the process"),
    hitsPerSecond: figure(index, "open: lookup, hits, per second"),
    missesPerSecond: figure(index, "open: lookup, misses, per second"),
    groups,
    listSeconds: figure(list, "warmSeconds"),
    listColdSeconds: figure(list, "coldSeconds"),
  };
}

/** The last line of what a script prints. */
async function figuresOf(script: string, args: string[]): Promise<Record<string, number>> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `--config=${ROOT}deno.json`, `${ROOT}bench/${script}`, "--json", ...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`bench/${script} failed:\n${decoder.decode(stderr).slice(-2000)}`);
  return JSON.parse(decoder.decode(stdout).trimEnd().split("\n").at(-1) ?? "");
}
