/**
 * What a backup of an Infrahub deployment is: its components, how they are named and tagged inside
 * a repository, how they are stored, listed, checked and restored.
 *
 * Nothing here prints or reads flags: results are returned, and what happens on the way goes to a
 * {@linkcode Reporter}. Words: a *component* is a part of a backup with a snapshot of its own, a
 * *group* is all snapshots of one backup, a *record* is a component's file inside its snapshot.
 *
 * @module
 */

export { checkSnapshots } from "./check.ts";
export type { CheckedSnapshot, CheckReport, CheckSnapshotsOptions, DamagedGroup } from "./check.ts";
export { commandSource } from "./command_source.ts";
export { type Component, COMPONENTS, type Neo4jEdition, recordPath } from "./component.ts";
export { createBackup } from "./create.ts";
export type {
  CreateBackupOptions,
  CreatedBackup,
  CreatedComponent,
  TransferCounts,
} from "./create.ts";
export { type ResolvedEdition, resolveEdition } from "./edition.ts";
export {
  BackupFailedError,
  BackupGroupError,
  DamagedSnapshotError,
  InfrahubBackupError,
  InvalidInputError,
  messageOf,
  RepositoryUnavailableError,
} from "./errors.ts";
export { fileSource } from "./file_source.ts";
export { type BackupGroup, deriveGroups, type GroupMember } from "./group.ts";
export { copyFile, describeSnapshot, type SnapshotDescription } from "./inspect.ts";
export { listGroups } from "./list.ts";
export type { Reporter, ReportFields } from "./reporter.ts";
export { openExisting, openOrCreate, type RepositoryAccess } from "./repository_access.ts";
export { restoreToDirectory } from "./restore.ts";
export type { RestoredBackup, RestoredFile, RestoreToDirectoryOptions } from "./restore.ts";
export { formatSize, shortId } from "./show_values.ts";
export type { ComponentSource, OpenSource } from "./source.ts";
export { parseTags, type SnapshotTags } from "./tags.ts";
export { tarSource } from "./tar_source.ts";
export { formatLocalTime } from "./timestamp.ts";
