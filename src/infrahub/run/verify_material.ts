import { messageOf } from "../../errors/mod.ts";
import { dumpInspectorFor, type PostgresDumpContents, type RestoreMaterial } from "../dump/mod.ts";
import { DamagedSnapshotError } from "../errors.ts";
import type { Reporter } from "../reporter.ts";
import { formatSize } from "../show_values.ts";

/** What was learnt of dumps while they were verified. */
export interface VerifiedMaterial {
  /** Undefined where there is no dump of PostgreSQL, or its contents could not be read. */
  readonly postgres: PostgresDumpContents | undefined;
}

/**
 * Reads every byte of what is going to be restored: all of it can be read back, and the dumps are
 * complete in themselves. Nothing of the deployment is touched before this has succeeded.
 *
 * @throws {DamagedSnapshotError} naming the dump
 */
export async function verifyMaterial(
  { neo4j, postgres, storage }: RestoreMaterial,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<VerifiedMaterial> {
  let contents: PostgresDumpContents | undefined;
  for (const dump of [neo4j, postgres, storage]) {
    if (dump === undefined) continue;
    reporter.info(`Verifying ${dump.name} (${formatSize(dump.bytes)})...`);
    const inspector = dumpInspectorFor(dump.name);
    try {
      await dump.copy((bytes) => {
        inspector?.observe(bytes);
        return Promise.resolve();
      }, signal);
      inspector?.finish();
      contents = inspector?.postgres ?? contents;
    } catch (error) {
      signal.throwIfAborted();
      throw new DamagedSnapshotError(
        `cannot restore ${dump.name}: ${messageOf(error)}; nothing has been changed`,
        { cause: error },
      );
    }
  }
  return { postgres: contents };
}
