import { highestPeak, MEMORY_LIMIT_BYTES, type MemoryOutcome } from "../scale/memory.ts";
import { OURS } from "../peers/our_tool.ts";
import { FIRST, type Operation, type Outcomes, RESTORE, SECOND } from "../outcomes.ts";
import type { Scale } from "../scale/scale.ts";

/** A figure that has to be reached. */
export interface Goal {
  readonly what: string;
  readonly wanted: string;
  /** Undefined when it was not measured. */
  readonly found?: { readonly figure: string; readonly reached: boolean };
}

/** All that was measured. */
export interface Results {
  readonly outcomes: Outcomes;
  readonly memory: readonly MemoryOutcome[];
  readonly scale?: Scale;
}

/** The most that a second dump may add, of its length. */
const CLUSTERED_SHARE = 0.03;
const COMMUNITY_SHARE = 0.05;
const LIST_SECONDS = 0.3;
const OPEN_SECONDS = 10;
const INDEX_BYTES = 2 ** 30;

/** Above the other's figure by less than this is as few: what describes a backup is of no fixed size. */
const AS_FEW_FACTOR = 1.01;

/** What the program has to reach, and what it has reached. */
export function goalsOf({ outcomes, memory, scale }: Results): Goal[] {
  return [
    faster(outcomes, FIRST, "plakar", 1.5),
    faster(outcomes, FIRST, "restic", 3),
    faster(outcomes, FIRST, "borg", 3),
    faster(outcomes, SECOND, "restic", 2.5),
    faster(outcomes, RESTORE, "plakar", 1.5),
    {
      what: "Peak memory of backup and restore" +
        (memory.length === 0 ? "" : `, ${memory.map(({ bytes }) => size(bytes)).join(" and ")}`),
      wanted: `at most ${size(MEMORY_LIMIT_BYTES)}`,
      ...(memory.length === 0
        ? {}
        : found(size(highestPeak(memory)), highestPeak(memory) <= MEMORY_LIMIT_BYTES)),
    },
    asFew(outcomes, "scattered"),
    asFew(outcomes, "clustered"),
    share(
      outcomes,
      "postgres",
      "clustered",
      "pg_dump, 1 % of the rows changed, clustered",
      CLUSTERED_SHARE,
    ),
    ...["scattered", "clustered"].map((change) =>
      share(
        outcomes,
        "neo4j-dump",
        change,
        `Dump of Neo4j Community, 1 % of the nodes changed, ${change}`,
        COMMUNITY_SHARE,
      )
    ),
    {
      what: `"snapshots list", ${scale?.groups ?? 1000} groups, warm cache`,
      wanted: `at most ${LIST_SECONDS} s`,
      ...(scale && found(`${scale.listSeconds.toFixed(2)} s`, scale.listSeconds <= LIST_SECONDS)),
    },
    {
      what: `Index of ${scale?.millions ?? 10} million chunks, memory of the process`,
      wanted: `at most ${size(INDEX_BYTES)}`,
      ...(scale && found(size(scale.memoryBytes), scale.memoryBytes <= INDEX_BYTES)),
    },
    {
      what: `Index of ${scale?.millions ?? 10} million chunks, opened from the cache`,
      wanted: `at most ${OPEN_SECONDS} s`,
      ...(scale && found(`${scale.openSeconds.toFixed(2)} s`, scale.openSeconds <= OPEN_SECONDS)),
    },
  ];
}

function found(figure: string, reached: boolean): Pick<Goal, "found"> {
  return { found: { figure, reached } };
}

/** How many times as fast as another program, with random bytes. */
function faster(outcomes: Outcomes, operation: Operation, other: string, factor: number): Goal {
  const ours = outcomes.get("random", operation.name, OURS);
  const theirs = outcomes.get("random", operation.name, other);
  const bytes = ours === undefined ? "" : `, ${size(ours.bytes)}`;
  const ratio = ours && theirs && theirs.seconds / ours.seconds;
  return {
    what: `Random bytes${bytes}: ${operation.title}, against ${other}`,
    wanted: `at least ${factor}x`,
    ...(ratio === undefined ? {} : found(`${ratio.toFixed(2)}x`, ratio >= factor)),
  };
}

/** Whether a changed dump of PostgreSQL adds no more than it adds with plakar. */
function asFew(outcomes: Outcomes, change: string): Goal {
  const ours = outcomes.get("postgres", `changed-${change}`, OURS)?.addedBytes;
  const theirs = outcomes.get("postgres", `changed-${change}`, "plakar")?.addedBytes;
  return {
    what: `Bytes added: pg_dump, 1 % of the rows changed, ${change}`,
    wanted: "as few as plakar's",
    ...(ours === undefined || theirs === undefined
      ? {}
      : found(`${size(ours)}, plakar ${size(theirs)}`, ours <= theirs * AS_FEW_FACTOR)),
  };
}

/**
 * What a changed stream added: of its own length, and of what its first backup took, which is
 * compressed as well. Both have to be few.
 */
function share(
  outcomes: Outcomes,
  dataSet: string,
  change: string,
  what: string,
  most: number,
): Goal {
  const goal = { what: `Bytes added: ${what}`, wanted: `at most ${most * 100} %` };
  const changed = outcomes.get(dataSet, `changed-${change}`, OURS);
  const first = outcomes.get(dataSet, FIRST.name, OURS)?.addedBytes;
  if (changed?.addedBytes === undefined || first === undefined) return goal;
  const ofStream = changed.addedBytes / changed.bytes;
  const ofFirst = changed.addedBytes / first;
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
  const figure = `${percent(ofStream)} of the dump, ${percent(ofFirst)} of the first backup`;
  return { ...goal, ...found(figure, Math.max(ofStream, ofFirst) <= most) };
}

/** Bytes for people, such as `8 GiB`. */
export function size(bytes: number): string {
  if (bytes >= 2 ** 30 && bytes % 2 ** 30 === 0) return `${bytes / 2 ** 30} GiB`;
  const mebibytes = bytes / 2 ** 20;
  return `${mebibytes.toFixed(mebibytes < 10 && mebibytes % 1 !== 0 ? 1 : 0)} MiB`;
}
