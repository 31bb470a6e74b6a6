import { messageOf } from "../../errors/mod.ts";
import { dumpInspectorFor, type RestoreMaterial } from "../dump/mod.ts";
import { DamagedSnapshotError } from "../errors.ts";
import type { Reporter } from "../reporter.ts";
import { formatSize } from "../show_values.ts";

/**
 * Reads every byte of what is going to be restored: all of it can be read back, and the dumps are
 * complete in themselves. Nothing of the deployment is touched before this has succeeded.
 *
 * @throws {DamagedSnapshotError} naming the dump
 */
export async function verifyMaterial(
  { neo4j, postgres }: RestoreMaterial,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  for (const dump of [neo4j, postgres]) {
    if (dump === undefined) continue;
    reporter.info(`Verifying ${dump.name} (${formatSize(dump.bytes)})...`);
    const inspector = dumpInspectorFor(dump.name);
    try {
      await dump.copy((bytes) => {
        inspector?.observe(bytes);
        return Promise.resolve();
      }, signal);
      inspector?.finish();
    } catch (error) {
      signal.throwIfAborted();
      throw new DamagedSnapshotError(
        `cannot restore ${dump.name}: ${messageOf(error)}; nothing has been changed`,
        { cause: error },
      );
    }
  }
}
