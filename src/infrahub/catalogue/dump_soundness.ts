import type { Damage, SnapshotReader } from "../../kloset/mod.ts";
import { isComponent, possibleRecordPaths } from "../component.ts";
import { dumpInspectorFor } from "../dump/mod.ts";
import { DamagedDumpError } from "../errors.ts";
import { parseTags } from "./tags.ts";

/** Dumps up to this size are looked into as a whole at every check of contents: it costs nothing. */
const SMALL_BYTES = 1024 * 1024;

/** How much of a dump is looked into. */
export interface DumpCheckOptions {
  /** All of it, which reads it once more; otherwise its beginning, and small ones as a whole. */
  readonly whole: boolean;
  readonly signal: AbortSignal;
}

/** Ends the reading of a dump of which enough has been seen. */
class SeenEnough extends Error {}

/**
 * Looks whether the dump in a snapshot is one, and whole: its bytes may all be as they were stored, and
 * still be the half of a dump. The Go tool stores what a dump command wrote before it failed. Dumps
 * that were stored raw, on purpose, are passed over.
 *
 * @throws what the repository fails with when bytes cannot be read back
 */
export async function findBrokenDump(
  reader: SnapshotReader,
  { whole, signal }: DumpCheckOptions,
): Promise<Damage[]> {
  const { component, rawDumps } = parseTags(reader.header.tags);
  if (component === undefined || !isComponent(component) || rawDumps) return [];
  for (const path of possibleRecordPaths(component)) {
    const entry = await reader.stat(path);
    const inspector = dumpInspectorFor(path);
    if (entry?.type !== "file" || inspector === undefined) continue;
    const looksAtAll = whole || entry.size <= SMALL_BYTES;
    try {
      await reader.copy(path, (bytes) => {
        inspector.observe(bytes);
        if (!looksAtAll) throw new SeenEnough();
        return Promise.resolve();
      }, { signal });
      inspector.finish();
    } catch (error) {
      if (error instanceof SeenEnough) continue;
      if (!(error instanceof DamagedDumpError)) throw error;
      return [{
        snapshot: reader.header.identifier,
        path,
        message: `stored as it is, but not a whole dump: ${error.message}`,
      }];
    }
  }
  return [];
}
