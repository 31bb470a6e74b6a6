import type { Repository } from "../../kloset/mod.ts";
import { type Component, type Neo4jEdition, recordPath } from "../component.ts";
import type { Reporter } from "../reporter.ts";
import { isShrunken, type Shrinkage } from "../shrinkage.ts";
import { listGroups } from "./list.ts";
import { type DeploymentInHand, ownGroups } from "./own_groups.ts";

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
  /** Of whom the earlier backups have to be; everybody's when not given. */
  readonly inHand?: DeploymentInHand;
  readonly neo4jEdition: Neo4jEdition;
  /** By how many percent a dump may be smaller than the earlier one; 0 for any. */
  readonly percent: number;
  readonly reporter: Reporter;
}

/**
 * Compares the dumps of a new backup with those of the newest complete backup of the same deployment
 * before it that has the component. A database that is all of a sudden half as large has lost data
 * more often than it has been tidied up; the backup is good all the same, so that this is a warning.
 */
export async function findShrunkenDumps(question: ShrinkageQuestion): Promise<Shrinkage[]> {
  const { repository, backup, inHand, neo4jEdition, percent, reporter } = question;
  if (percent === 0) return [];
  const groups = await listGroups(repository, reporter);
  const earlierOnes = (inHand === undefined ? groups : ownGroups(groups, inHand)).filter((group) =>
    group.status === "complete" && group.name !== backup.backupId
  );
  const found: Shrinkage[] = [];
  for (const { component, bytesRead: bytes } of backup.components) {
    const earlier = earlierOnes.find(({ members }) =>
      members.some((candidate) => candidate.component === component)
    );
    const member = earlier?.members.findLast((candidate) => candidate.component === component);
    if (component === "metadata" || earlier === undefined || member === undefined) continue;
    // A dump of the other edition has another path: the two cannot be compared.
    const reader = await repository.openSnapshot(member.snapshotId);
    const earlierBytes = (await reader.stat(recordPath(component, neo4jEdition)))?.size;
    if (earlierBytes === undefined || !isShrunken(bytes, earlierBytes, percent)) continue;
    found.push({ what: component, bytes, earlierBytes, earlierBackupId: earlier.name });
  }
  return found;
}
