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

export { archiveDumps, archiveFiles, prepareArchiveDirectory } from "./archive_backup.ts";
export {
  ArchiveBucket,
  ArchiveTransferError,
  type StoredArchive,
  type TransferOptions,
} from "./archive_bucket.ts";
export type { ArchiveBackupOptions, CreatedArchive } from "./archive_backup.ts";
export { type BackupChoice, selectBackup, type SelectedBackup } from "./backup_selection.ts";
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
export {
  backUpDeployment,
  type DeploymentBackupOptions,
  type ReadyDeployment,
} from "./deployment_backup.ts";
export {
  type DeploymentRestoreOptions,
  planRestore,
  RestoreFailedError,
  type RestorePlan,
} from "./deployment_restore.ts";
export { reframedSource, reframeDump, type ZstdDecompressor } from "./dump_reframing.ts";
export { findShrunkenArchive } from "./earlier_archive.ts";
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
export type { ComponentProgress, Reporter, ReportFields } from "./reporter.ts";
export { openExisting, openOrCreate, type RepositoryAccess } from "./repository_access.ts";
export { restoreToDirectory } from "./restore.ts";
export type { RestoredBackup, RestoredFile, RestoreToDirectoryOptions } from "./restore.ts";
export {
  archiveMaterial,
  repositoryMaterial,
  type RestorableDump,
  type RestoreMaterial,
} from "./restore_material.ts";
export { findResumable } from "./resumable_backup.ts";
export { formatSize, shortId } from "./show_values.ts";
export {
  describeShrinkage,
  findShrunkenDumps,
  type Shrinkage,
  type ShrinkageQuestion,
} from "./shrinkage.ts";
export type { ComponentSource, OpenSource } from "./source.ts";
export { parseTags, type SnapshotTags } from "./tags.ts";
export { tarSource } from "./tar_source.ts";
export { formatLocalTime } from "./timestamp.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type ConnectionParts, parseConnectionUrl } from "./connection_url.ts";
export { findCredentials } from "./credentials.ts";
export type { Credentials, DatabaseCredentials, ReadVariable } from "./credentials.ts";
export {
  type ComponentTarget,
  type Deployment,
  DeploymentError,
  DeploymentRefusedError,
} from "./deployment.ts";
export { resetDeploymentId, type ResetDeploymentIdOptions } from "./deployment_id.ts";
export {
  DamagedDumpError,
  type DumpInspector,
  dumpInspector,
  dumpInspectorFor,
  type DumpVerdict,
  inspectDump,
  type Neo4jDumpCompression,
  neo4jDumpCompression,
} from "./dump_verification.ts";
export {
  detectEdition,
  type DetectEditionOptions,
  resolveRestoreEdition,
} from "./edition_detection.ts";
export { type FlushKind, type FlushOptions, flushRuns, parseFlushArguments } from "./flush.ts";
export { detectInfrahubVersion, UNKNOWN_VERSION } from "./infrahub_version.ts";
export { neo4jCommunitySource, openNeo4jCommunityTarget } from "./neo4j_community.ts";
export type { CommunityDumpOptions, CommunityLoadOptions } from "./neo4j_community.ts";
export {
  checkEnterpriseBackupSpace,
  type EnterpriseBackupOptions,
  METADATA_CHOICES,
  type MetadataChoice,
  neo4jEnterpriseSource,
  openNeo4jEnterpriseTarget,
} from "./neo4j_enterprise.ts";
export type { EnterpriseRestoreOptions } from "./neo4j_enterprise_restore.ts";
export { type FreezeOptions, Neo4jNotHeldError } from "./neo4j_freeze.ts";
export { type PostgresDumpOptions, postgresSource, startPostgres } from "./postgres.ts";
export {
  type CheckPostgresOptions,
  checkPostgresServer,
  openPostgresTarget,
  type PostgresRestoreOptions,
  type PostgresServer,
  type PostgresTarget,
} from "./postgres_restore.ts";
export {
  DatabaseNotOpenedError,
  waitForNeo4j,
  waitForPostgres,
  type WaitOptions,
} from "./readiness.ts";
export { checkRedaction, redact, requireRedactionConfirmed } from "./redaction.ts";
export {
  type RunningTask,
  waitForRunningTasks,
  type WaitForTasksOptions,
} from "./running_tasks.ts";
export { Secret } from "./secret.ts";
export {
  CACHE,
  DATABASE,
  MESSAGE_QUEUE,
  restartDependencies,
  SERVER,
  START_ORDER,
  startApplicationServices,
  startFrontServices,
  STOP_ORDER,
  stopApplicationServices,
  type StoppedServices,
  TASK_MANAGER,
  TASK_MANAGER_BACKGROUND,
  TASK_MANAGER_DATABASE,
  TASK_WORKER,
} from "./services.ts";
export { wipeTransientData } from "./transient_data.ts";
export {
  type UndoAction,
  UndoFailedError,
  type UndoHandle,
  UndoJournal,
  type UndoResult,
} from "./undo_journal.ts";
