import type { Repository } from "../../kloset/mod.ts";
import { isComponent } from "../component.ts";
import { BackupGroupError, InvalidInputError } from "../errors.ts";
import { type BackupGroup, type GroupMember, selectGroup } from "./group.ts";
import { listGroups } from "./list.ts";
import type { Reporter } from "../reporter.ts";
import { shortId } from "../show_values.ts";
import { resolveSnapshot } from "./snapshot_id.ts";
import { parseTags } from "./tags.ts";
import { formatLocalTime } from "../timestamp.ts";

/** Which backup of a repository is wanted. */
export interface BackupChoice {
  readonly repository: Repository;
  /** The newest complete one when neither this nor `snapshot` is given. */
  readonly backupId?: string;
  /** Prefix of the id of the only snapshot that is wanted. */
  readonly snapshot?: string;
  /** Take a backup that lacks components. */
  readonly force: boolean;
  readonly reporter: Reporter;
}

/** The snapshots to restore. */
export interface SelectedBackup {
  /** Empty when a snapshot without a backup id was chosen. */
  readonly backupId: string;
  /** Full snapshot ids, one per component, in component order. */
  readonly ids: readonly string[];
  /** Whether a backup was chosen, and not one snapshot of it. */
  readonly isWhole: boolean;
}

/**
 * Finds the snapshots to restore.
 *
 * @throws {InvalidInputError} when the choice is contradictory, or names no snapshot of a component
 * @throws {BackupGroupError} when the backup does not exist, or is incomplete and not forced
 */
export async function selectBackup(choice: BackupChoice): Promise<SelectedBackup> {
  const { repository, reporter, snapshot, backupId } = choice;
  if (snapshot !== undefined && backupId !== undefined) {
    throw new InvalidInputError("--snapshot and --backup-id cannot be used together");
  }
  if (snapshot !== undefined) return await selectSnapshot(repository, snapshot, reporter);
  const group = selectGroup(await listGroups(repository, reporter), backupId);
  const members = newestOfEach(group, reporter);
  reporter.info("Restoring from backup group", {
    backup_id: group.backupId,
    status: group.status,
    components: members.length,
  });
  if (group.status === "incomplete") {
    const missing = `incomplete (missing: ${group.missing.join(", ")})`;
    if (!choice.force) {
      throw new BackupGroupError(
        `backup group ${group.backupId} is ${missing}; use --force to restore available components`,
      );
    }
    reporter.warn(`Backup group ${group.backupId} is ${missing}`);
  }
  const ids = members.map((member) => member.snapshotId);
  return { backupId: group.backupId, ids, isWhole: true };
}

async function selectSnapshot(
  repository: Repository,
  prefix: string,
  reporter: Reporter,
): Promise<SelectedBackup> {
  const id = resolveSnapshot(repository, prefix);
  const { header } = await repository.openSnapshot(id);
  const { backupId = "", component = "" } = parseTags(header.tags);
  if (!isComponent(component)) {
    throw new InvalidInputError(`unknown component type in snapshot: ${component}`);
  }
  reporter.info("Restoring from single Plakar snapshot", {
    snapshot_id: shortId(id),
    date: formatLocalTime(header.timestamp),
    name: header.name,
  });
  return { backupId, ids: [id], isWhole: false };
}

/** A component that was stored again under the same id replaces the earlier one. */
function newestOfEach(group: BackupGroup, reporter: Reporter): GroupMember[] {
  const newest = new Map<string, GroupMember>();
  for (const member of group.members) {
    const earlier = newest.get(member.component);
    if (earlier !== undefined) {
      reporter.warn(
        `Backup group ${group.backupId} has several ${member.component} snapshots: ` +
          `${shortId(member.snapshotId)} is used, ${shortId(earlier.snapshotId)} is not`,
      );
    }
    newest.set(member.component, member);
  }
  return [...newest.values()];
}
