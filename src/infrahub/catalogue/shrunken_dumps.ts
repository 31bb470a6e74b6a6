import type { Repository } from "../../kloset/mod.ts";
import { type Component, type Neo4jEdition, recordPath } from "../component.ts";
import type { Reporter } from "../reporter.ts";
import { isShrunken, type Shrinkage } from "../shrinkage.ts";
import { listGroups } from "./list.ts";

/** A new backup, and what counts as much smaller. */
export interface ShrinkageQuestion {
  readonly repository: Repository;
  readonly backup: {
    readonly backupId: string;
    readonly components: readonly {
      readonly component: Component;
      /** Bytes of the dump. */
      readonly bytesRead: number;
    }[];
  };
  readonly neo4jEdition: Neo4jEdition;
  /** By how many percent a dump may be smaller than the earlier one; 0 for any. */
  readonly percent: number;
  readonly reporter: Reporter;
}

/**
 * Compares the dumps of a new backup with those of the newest complete backup before it. A database
 * that is all of a sudden half as large has lost data more often than it has been tidied up; the
 * backup is good all the same, so that this is a warning.
 */
export async function findShrunkenDumps(question: ShrinkageQuestion): Promise<Shrinkage[]> {
  const { repository, backup, neo4jEdition, percent, reporter } = question;
  if (percent === 0) return [];
  const earlier = (await listGroups(repository, reporter)).find((group) =>
    group.status === "complete" && group.backupId !== backup.backupId
  );
  if (earlier === undefined) return [];
  const found: Shrinkage[] = [];
  for (const { component, bytesRead: bytes } of backup.components) {
    const member = earlier.members.findLast((candidate) => candidate.component === component);
    if (component === "metadata" || member === undefined) continue;
    // A dump of the other edition has another path: the two cannot be compared.
    const reader = await repository.openSnapshot(member.snapshotId);
    const earlierBytes = (await reader.stat(recordPath(component, neo4jEdition)))?.size;
    if (earlierBytes === undefined || !isShrunken(bytes, earlierBytes, percent)) continue;
    found.push({ what: component, bytes, earlierBytes, earlierBackupId: earlier.backupId });
  }
  return found;
}
