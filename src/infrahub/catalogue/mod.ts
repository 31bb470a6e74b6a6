/**
 * The backups that a repository holds: tags and metadata, groups and their completeness, which backup
 * is meant, listing, describing, checking, comparing with earlier ones, the dumps in them, and opening
 * the repository. Nothing here reaches a deployment, and nothing writes a backup: that is `run`.
 *
 * @module
 */

export { reserveBackupId, type ReservedBackupId } from "./backup_id.ts";
export {
  type BackupChoice,
  requireAllowed,
  selectBackup,
  type SelectedBackup,
} from "./backup_selection.ts";
export { type CheckReport, checkSnapshots } from "./check.ts";
export { clockDoubt, warnOfClock } from "./clock_doubts.ts";
export { copyFile, describeSnapshot, type SnapshotDescription } from "./describe.ts";
export { type BackupGroup, namesGroup } from "./group.ts";
export { listGroups } from "./list.ts";
export { encodeMetadata } from "./metadata.ts";
export { KnownRepositories } from "./known_repositories.ts";
export { type DeploymentInHand, type OriginFilter, ownGroups, passesFilter } from "./own_groups.ts";
export { openExisting, openOrCreate, type RepositoryAccess } from "./repository_access.ts";
export { repositoryMaterial } from "./repository_material.ts";
export { findResumable } from "./resumable_backup.ts";
export { findShrunkenDumps } from "./shrunken_dumps.ts";
export { findMissingContent } from "./soundness.ts";
export { type BackupDescription, buildTags, parseTags } from "./tags.ts";
export {
  sandboxOf,
  type StoreFinding,
  type StoreSandbox,
  validateStore,
} from "./validate_location.ts";
