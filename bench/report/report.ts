import type { DataSet } from "../data/data_set.ts";
import { type Goal, type Results, size } from "./goals.ts";
import type { MemoryOutcome } from "../scale/memory.ts";
import { OURS } from "../peers/our_tool.ts";
import { operationsOf, type Outcome, type Outcomes } from "../outcomes.ts";
import type { Scale } from "../scale/scale.ts";

/** What is told besides the figures. */
export interface ReportFacts {
  readonly date: Date;
  readonly machine: string;
  readonly runs: number;
  /** Whether this was but a trial of the benchmark. */
  readonly quick: boolean;
  /** Names and versions of the programs. */
  readonly programs: readonly { readonly name: string; readonly version: string }[];
  /** Further programs: what made the data sets. */
  readonly tools: readonly string[];
  readonly data: readonly DataSet[];
  /** What was left out, and why. */
  readonly missing: readonly string[];
  /** Command lines by program. */
  readonly commands: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The report in Markdown. */
export function markdownReport(
  results: Results,
  goals: readonly Goal[],
  facts: ReportFacts,
): string {
  return [
    "# Benchmarks\n",
    "Written by `deno task bench --write=docs`; do not edit.\n",
    ...(facts.quick
      ? ["**A trial of the script with tiny data sets (`--quick`): the figures mean nothing.**\n"]
      : []),
    "![Speed of each program](./benchmarks.svg)\n",
    "## What has to be reached\n",
    goalTable(goals),
    ...facts.data.flatMap((data) => [
      `## ${data.title}\n`,
      `${size(data.first.bytes)} through a pipe. _Added_ is by how much the repository grew; ` +
      `_time_ compares the median with that of ${OURS}: above 1 the program is slower.\n`,
      outcomeTable(data, results.outcomes, facts.programs.map(({ name }) => name)),
    ]),
    ...(results.memory.length === 0 ? [] : [
      "## Memory\n",
      "Random bytes from a generator through a pipe, highest peak of the largest process:\n",
      memoryTable(results.memory),
    ]),
    ...(results.scale === undefined ? [] : ["## Scale\n", scaleTable(results.scale)]),
    "## How it was measured\n",
    howMeasured(facts),
    "## What to know when comparing\n",
    FAIRNESS,
  ].join("\n");
}

/** Whether each goal was reached. */
export function goalTable(goals: readonly Goal[]): string {
  return table(
    ["what", "wanted", "found", ""],
    goals.map(({ what, wanted, found }) => [
      what,
      wanted,
      found?.figure ?? "",
      found === undefined ? "not measured" : found.reached ? "reached" : "**not reached**",
    ]),
    1,
  );
}

/** What each program took for each operation with a data set. */
export function outcomeTable(
  data: DataSet,
  outcomes: Outcomes,
  programs: readonly string[],
): string {
  const rows = operationsOf(data).flatMap((operation) => {
    const ours = outcomes.get(data.name, operation.name, OURS);
    return programs.flatMap((program, index) => {
      const outcome = outcomes.get(data.name, operation.name, program);
      if (outcome === undefined) return [];
      return [[
        index === 0 ? operation.title : "",
        program,
        ...figures(outcome),
        outcome.addedBytes === undefined ? "" : size(outcome.addedBytes),
        ours === undefined ? "" : `${(outcome.seconds / ours.seconds).toFixed(2)}x`,
      ]];
    });
  });
  return table(
    ["what", "program", "s", "MB/s", "CPU s", "peak memory", "added", "time"],
    rows,
    2,
  );
}

/** Memory and speed by length of the stream. */
export function memoryTable(memory: readonly MemoryOutcome[]): string {
  return table(
    [OURS, "s", "MB/s", "CPU s", "peak memory"],
    memory.flatMap(({ bytes, backup, restore }) => [
      [`back up ${size(bytes)}`, ...figures(backup)],
      [`read ${size(bytes)} back, verified`, ...figures(restore)],
    ]),
    1,
  );
}

/** Figures of a repository with much in it. */
export function scaleTable(scale: Scale): string {
  const rate = (perSecond: number) => `${(perSecond / 1e6).toFixed(2)} million a second`;
  return table(["what", "figure"], [
    [
      `index of ${scale.millions} million locations, opened from the cache`,
      `${scale.openSeconds.toFixed(2)} s`,
    ],
    ["memory of the process that has it open", size(scale.memoryBytes)],
    ["lookups of what is there", rate(scale.hitsPerSecond)],
    ["lookups of what is not", rate(scale.missesPerSecond)],
    [`"snapshots list", ${scale.groups} groups, warm cache`, `${scale.listSeconds.toFixed(2)} s`],
    ["the same without a cache", `${scale.listColdSeconds.toFixed(2)} s`],
  ], 1);
}

function figures(outcome: Outcome): string[] {
  return [
    outcome.seconds.toFixed(2),
    outcome.speed.toFixed(outcome.speed < 10 ? 1 : 0),
    outcome.cpuSeconds.toFixed(2),
    size(outcome.peakBytes),
  ];
}

function howMeasured(facts: ReportFacts): string {
  const list = (items: readonly string[]) => items.map((item) => `- ${item}\n`).join("");
  const changes = facts.data.flatMap(({ title, changes }) =>
    changes.map((change) => `${title}: ${change.title}, ${size(change.stream.bytes)}`)
  );
  const commands = [...facts.commands].flatMap(([program, lines]) => [
    `# ${program}`,
    ...lines,
    "",
  ]);
  return [
    list([
      `${facts.date.toISOString().slice(0, 10)}; ${facts.machine}`,
      `medians of ${facts.runs} interleaved runs, each in a new repository; peaks are the highest`,
      ...facts.programs.map(({ name, version }) => `${name}: ${version}`),
      ...facts.tools,
    ]),
    "Streams after a change, each made from the first state:\n",
    list(changes),
    ...(facts.missing.length === 0 ? [] : ["Left out:\n", list(facts.missing)]),
    "Each command ran under GNU time; `scripts/tool.ts` tells how sources are run. What was restored was compared by its SHA-256 with what was " +
    "stored, apart from the measured runs.\n",
    `\`\`\`sh\n${commands.join("\n").trimEnd()}\n\`\`\`\n`,
  ].join("\n");
}

const FAIRNESS = `- The same file of the same bytes goes to every program from \`cat\`, whose time
  counts for all of them. ${OURS} starts the command itself, because only so does it know that the
  dump is complete.
- restic encrypts, authenticates and compresses with zstd and cannot do without encryption; borg
  compresses with LZ4 and does not encrypt here; plakar and ${OURS} compress with LZ4, and do not
  encrypt here.
- plakar keeps its state in a daemon that runs on between commands. The daemon's processor time
  counts, its memory does not.
- Repositories are made before the first backup, outside its time, for all of them.
- The page cache has all that is read: the data sets have just been written, and so have the
  repositories. The figures are those of processors and memory, not of a disk. What a run leaves to
  be written is flushed before the next one begins, outside its time.
- All four have what they write flushed to the disk (\`fsync\`) before they end.
- The start of a program counts. From sources, ${OURS} loads its modules anew each time.
- Added bytes are lengths of files, with all that describes the backup. A backup by ${OURS} is a group
  of two or three snapshots (metadata, and with PostgreSQL a few bytes in the place of Neo4j), each
  with a header, an index and a state of its own.
- The changes to a data set are backed up one after the other into the same repository; each
  is made from the first state.
- \`check\` reads and verifies all data of a repository with one backup: \`plakar check\`,
  \`restic check --read-data\`, \`borg check --verify-data\`, \`snapshots check\`.
- A dump of Neo4j Community is one compressed stream. \`create\` writes its frame anew so that it
  deduplicates; here a process of its own does that before ${OURS}, and its time counts.
`;

/** A table in Markdown; the first columns are text, the others numbers to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  textColumns: number,
): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column < textColumns ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(" | ")} |\n`;
  };
  const rule = widths.map((width, column) =>
    column < textColumns ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [head, rule, ...rows].map(line).join("");
}
