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

export { archiveDumps, archiveFiles, prepareArchiveDirectory } from "./tarball/mod.ts";
export {
  ArchiveBucket,
  ArchiveTransferError,
  type StoredArchive,
  type TransferOptions,
} from "./tarball/mod.ts";
export type { ArchiveBackupOptions, CreatedArchive } from "./tarball/mod.ts";
export { type BackupChoice, selectBackup, type SelectedBackup } from "./catalogue/mod.ts";
export { checkSnapshots } from "./catalogue/mod.ts";
export type {
  CheckedSnapshot,
  CheckReport,
  CheckSnapshotsOptions,
  DamagedGroup,
} from "./catalogue/mod.ts";
export { commandSource } from "./dump/mod.ts";
export { type Component, COMPONENTS, type Neo4jEdition, recordPath } from "./component.ts";
export { createBackup } from "./run/mod.ts";
export type {
  CreateBackupOptions,
  CreatedBackup,
  CreatedComponent,
  TransferCounts,
} from "./run/mod.ts";
export { backUpDeployment, type DeploymentBackupOptions, type ReadyDeployment } from "./run/mod.ts";
export {
  type DeploymentRestoreOptions,
  planRestore,
  RestoreFailedError,
  type RestorePlan,
} from "./run/mod.ts";
export { reframedSource, reframeDump, type ZstdDecompressor } from "./dump/mod.ts";
export { findShrunkenArchive } from "./tarball/mod.ts";
export { type ResolvedEdition, resolveEdition } from "./neo4j/mod.ts";
export {
  BackupFailedError,
  BackupGroupError,
  DamagedSnapshotError,
  InfrahubBackupError,
  InvalidInputError,
  messageOf,
  RepositoryUnavailableError,
} from "./errors.ts";
export { fileSource } from "./dump/mod.ts";
export { type BackupGroup, deriveGroups, type GroupMember } from "./catalogue/mod.ts";
export { copyFile, describeSnapshot, type SnapshotDescription } from "./catalogue/mod.ts";
export { listGroups } from "./catalogue/mod.ts";
export type { ComponentProgress, Reporter, ReportFields } from "./reporter.ts";
export { openExisting, openOrCreate, type RepositoryAccess } from "./catalogue/mod.ts";
export { restoreToDirectory } from "./run/mod.ts";
export type { RestoredBackup, RestoredFile, RestoreToDirectoryOptions } from "./run/mod.ts";
export {
  archiveMaterial,
  repositoryMaterial,
  type RestorableDump,
  type RestoreMaterial,
} from "./run/mod.ts";
export { findResumable } from "./catalogue/mod.ts";
export { formatSize, shortId } from "./show_values.ts";
export {
  describeShrinkage,
  findShrunkenDumps,
  type Shrinkage,
  type ShrinkageQuestion,
} from "./run/mod.ts";
export type { ComponentSource, OpenSource } from "./dump/mod.ts";
export { parseTags, type SnapshotTags } from "./catalogue/mod.ts";
export { tarSource } from "./dump/mod.ts";
export { formatLocalTime } from "./timestamp.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type ConnectionParts, parseConnectionUrl } from "./deployment/mod.ts";
export { findCredentials } from "./deployment/mod.ts";
export type { Credentials, DatabaseCredentials, ReadVariable } from "./deployment/mod.ts";
export {
  type ComponentTarget,
  type Deployment,
  DeploymentError,
  DeploymentRefusedError,
} from "./deployment/mod.ts";
export { resetDeploymentId, type ResetDeploymentIdOptions } from "./neo4j/mod.ts";
export {
  DamagedDumpError,
  type DumpInspector,
  dumpInspector,
  dumpInspectorFor,
  type DumpVerdict,
  inspectDump,
  type Neo4jDumpCompression,
  neo4jDumpCompression,
} from "./dump/mod.ts";
export { detectEdition, type DetectEditionOptions, resolveRestoreEdition } from "./neo4j/mod.ts";
export { type FlushKind, type FlushOptions, flushRuns, parseFlushArguments } from "./tasks/mod.ts";
export { detectInfrahubVersion, UNKNOWN_VERSION } from "./deployment/mod.ts";
export { neo4jCommunitySource, openNeo4jCommunityTarget } from "./neo4j/mod.ts";
export type { CommunityDumpOptions, CommunityLoadOptions } from "./neo4j/mod.ts";
export {
  checkEnterpriseBackupSpace,
  type EnterpriseBackupOptions,
  METADATA_CHOICES,
  type MetadataChoice,
  neo4jEnterpriseSource,
  openNeo4jEnterpriseTarget,
} from "./neo4j/mod.ts";
export type { EnterpriseRestoreOptions } from "./neo4j/mod.ts";
export { type FreezeOptions, Neo4jNotHeldError } from "./neo4j/mod.ts";
export { type PostgresDumpOptions, postgresSource, startPostgres } from "./postgres/mod.ts";
export {
  type CheckPostgresOptions,
  checkPostgresServer,
  openPostgresTarget,
  type PostgresRestoreOptions,
  type PostgresServer,
  type PostgresTarget,
} from "./postgres/mod.ts";
export {
  DatabaseNotOpenedError,
  waitForNeo4j,
  waitForPostgres,
  type WaitOptions,
} from "./deployment/mod.ts";
export { checkRedaction, redact, requireRedactionConfirmed } from "./neo4j/mod.ts";
export { type RunningTask, waitForRunningTasks, type WaitForTasksOptions } from "./tasks/mod.ts";
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
} from "./deployment/mod.ts";
export { wipeTransientData } from "./deployment/mod.ts";
export {
  type UndoAction,
  UndoFailedError,
  type UndoHandle,
  UndoJournal,
  type UndoResult,
} from "./deployment/mod.ts";
