import type { Stopwatch } from "../stopwatch.ts";
import type { OurTool } from "../peers/our_tool.ts";
import { Outcome } from "../outcomes.ts";
import { generator } from "../data/random_data.ts";

/** The most memory that the program may need, whatever the length of the stream: 256 MiB. */
export const MEMORY_LIMIT_BYTES: number = 256 << 20;

/** What the program of this repository took for streams of one length. */
export interface MemoryOutcome {
  /** Length of the stream. */
  readonly bytes: number;
  readonly backup: Outcome;
  readonly restore: Outcome;
}

/**
 * Backups of random bytes, and reading them back, by length of the stream. The bytes come from a
 * generator, so that streams may be longer than what fits anywhere else.
 *
 * @param sizes in bytes
 */
export async function measureMemory(
  ours: OurTool,
  sizes: readonly number[],
  settings: {
    readonly stopwatch: Stopwatch;
    readonly folder: string;
    readonly runs: number;
    readonly onProgress: (message: string) => void;
  },
): Promise<MemoryOutcome[]> {
  const { stopwatch, runs, onProgress } = settings;
  const outcomes = sizes.map((bytes) => ({
    bytes,
    backup: new Outcome(bytes),
    restore: new Outcome(bytes),
  }));
  for (let run = 0; run < runs; run++) {
    for (const { bytes, backup, restore } of outcomes) {
      const folder = await Deno.makeTempDir({ dir: settings.folder, prefix: "repository-" });
      try {
        const repository = `${folder}/repository`;
        const command = generator(bytes, run + 1);
        const stored = await stopwatch.measure(ours.backupOf(repository, command, "bytes"));
        backup.add(stored.measurement);
        const id = await ours.newest(repository, stored.stdout, "bytes");
        restore.add((await stopwatch.measure(ours.restore(repository, id), "pipe")).measurement);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
      onProgress(`memory, run ${run + 1} of ${runs}, ${bytes / 2 ** 20} MiB`);
    }
  }
  return outcomes;
}

/** The highest peak of all runs, in bytes. */
export function highestPeak(outcomes: readonly MemoryOutcome[]): number {
  return Math.max(...outcomes.flatMap(({ backup, restore }) => [
    backup.peakBytes,
    restore.peakBytes,
  ]));
}
