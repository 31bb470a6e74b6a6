// deno-lint-ignore-file no-console -- the measurements are its output
/**
 * How long `snapshots list` takes with many groups: the whole command, its cache warm.
 *
 * `deno run -A bench/scale/list_scale.ts [--json] [groups] [runs]`, 1000 groups and 5 runs unless given.
 * The repository is a real one on the disk: each group has three snapshots of tiny dumps, each of
 * them with its own state file and header. Runs the executable that `INFRAHUB_BACKUP_BINARY` names
 * instead of the sources, where it is set. With `--json`, the last line has the figures for programs.
 *
 * @module
 */

import {
  type ComponentSource,
  createBackup,
  openOrCreate,
  recordPath,
  type Reporter,
} from "../../src/infrahub/mod.ts";
import { median } from "../stopwatch.ts";
import { findTool } from "../../scripts/tool.ts";

const HOUR_MS = 3_600_000;
const FIRST_BACKUP = Date.UTC(2026, 0, 1);

const SILENT: Reporter = { debug() {}, info() {}, warn: (message) => console.error(message) };

const json = Deno.args.includes("--json");
const [groups = 1000, runs = 5] = Deno.args.filter((arg) => arg !== "--json").map(Number);

const folder = await Deno.makeTempDir({ prefix: "list-scale-" });
try {
  await fill(groups);
  const first = await list();
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push(await list());
  const seconds = median(times);
  console.log(
    `snapshots list, ${groups} groups, ${groups * 3} snapshots (${findTool().description}):`,
  );
  console.log(`cold cache: ${first.toFixed(3)} s`);
  console.log(`warm cache: ${seconds.toFixed(3)} s, median of ${runs} runs`);
  if (json) console.log(JSON.stringify({ groups, coldSeconds: first, warmSeconds: seconds }));
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** A dump of a few bytes. */
function tinyDump(component: "neo4j" | "postgres", group: number): ComponentSource {
  const bytes = new TextEncoder().encode(`${component} ${group}\n`);
  return {
    component,
    recordPath: recordPath(component, "community"),
    open: () => ({ content: ReadableStream.from([bytes]), finished: Promise.resolve() }),
  };
}

/** Makes the repository, by the code that backups are made by. */
async function fill(groups: number): Promise<void> {
  await using repository = await openOrCreate(
    {
      location: `${folder}/repository`,
      engine: { cacheDirectory: `${folder}/filling` },
      encrypt: false,
      hasPassphrase: false,
    },
    SILENT,
  );
  const { signal } = new AbortController();
  for (let group = 0; group < groups; group++) {
    await createBackup({
      repository,
      sources: [tinyDump("neo4j", group), tinyDump("postgres", group)],
      neo4jEdition: "community",
      infrahubVersion: "1.8.2",
      toolVersion: "0.1.0",
      hostname: "list-scale",
      now: new Date(FIRST_BACKUP + group * HOUR_MS),
      reporter: SILENT,
      signal,
    });
  }
}

/** @returns seconds that the command took */
async function list(): Promise<number> {
  const { argv: [program, ...args], env } = findTool();
  const command = ["snapshots", "list", `--repo=${folder}/repository`];
  const start = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args, ...command, `--cache-dir=${folder}/cache`],
    clearEnv: true,
    env: { ...env },
    stdin: "null",
  }).output();
  const seconds = (performance.now() - start) / 1000;
  const decoder = new TextDecoder();
  if (!success) throw new Error(`snapshots list failed:\n${decoder.decode(stderr)}`);
  const listed = decoder.decode(stdout).trimEnd().split("\n").length - 1;
  if (listed !== groups) throw new Error(`Listed ${listed} groups, not ${groups}`);
  return seconds;
}
