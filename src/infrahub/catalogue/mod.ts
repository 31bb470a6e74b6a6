/**
 * The backups that a repository holds: tags and metadata, groups and their completeness, which backup
 * is meant, listing, describing, checking, and opening the repository. Nothing here reaches a
 * deployment.
 *
 * @module
 */

export { type BackupChoice, selectBackup, type SelectedBackup } from "./backup_selection.ts";
export {
  type CheckedSnapshot,
  type CheckReport,
  checkSnapshots,
  type CheckSnapshotsOptions,
  type DamagedGroup,
} from "./check.ts";
export { copyFile, describeSnapshot, type SnapshotDescription } from "./describe.ts";
export { type BackupGroup, deriveGroups, type GroupMember } from "./group.ts";
export { listGroups } from "./list.ts";
export { encodeMetadata } from "./metadata.ts";
export { openExisting, openOrCreate, type RepositoryAccess } from "./repository_access.ts";
export { findResumable } from "./resumable_backup.ts";
export { findMissingContent } from "./soundness.ts";
export { type BackupDescription, buildTags, parseTags, type SnapshotTags } from "./tags.ts";
export {
  sandboxOf,
  type StoreFinding,
  type StoreSandbox,
  validateStore,
} from "./validate_location.ts";
