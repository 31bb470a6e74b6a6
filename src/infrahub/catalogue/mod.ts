/**
 * The backups that a repository holds: tags and metadata, groups and their completeness, which backup
 * is meant, listing, describing, checking, comparing with earlier ones, the dumps in them, and opening
 * the repository. Nothing here reaches a deployment, and nothing writes a backup: that is `run`.
 *
 * @module
 */

export { type BackupChoice, selectBackup } from "./backup_selection.ts";
export { type CheckReport, checkSnapshots } from "./check.ts";
export { copyFile, describeSnapshot, type SnapshotDescription } from "./describe.ts";
export type { BackupGroup } from "./group.ts";
export { listGroups } from "./list.ts";
export { encodeMetadata } from "./metadata.ts";
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
