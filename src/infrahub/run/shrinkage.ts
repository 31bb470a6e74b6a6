import type { Repository } from "../../kloset/mod.ts";
import { type Component, type Neo4jEdition, recordPath } from "../component.ts";
import type { CreatedBackup } from "./store_backup.ts";
import { listGroups } from "../catalogue/mod.ts";
import type { Reporter } from "../reporter.ts";
import { formatSize } from "../show_values.ts";

/** Something that is much smaller than it was in the last good backup. */
export interface Shrinkage {
  /** A component, or `archive`. */
  readonly what: Component | "archive";
  readonly bytes: number;
  readonly earlierBytes: number;
  /** Id of the backup that it is compared with. */
  readonly earlierBackupId: string;
}

/** A new backup, and what counts as much smaller. */
export interface ShrinkageQuestion {
  readonly repository: Repository;
  readonly backup: CreatedBackup;
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

/** Whether `bytes` is smaller than `earlierBytes` by more than `percent`. */
export function isShrunken(bytes: number, earlierBytes: number, percent: number): boolean {
  return percent > 0 && bytes * 100 < earlierBytes * (100 - percent);
}

/** The warning. */
export function describeShrinkage(
  { what, bytes, earlierBytes, earlierBackupId }: Shrinkage,
): string {
  const percent = Math.round((1 - bytes / earlierBytes) * 100);
  return `The ${what}${what === "archive" ? "" : " dump"} is ${percent} % smaller than in backup ` +
    `${earlierBackupId} (${formatSize(bytes)} instead of ${formatSize(earlierBytes)}): ` +
    "make sure that no data has been lost";
}
