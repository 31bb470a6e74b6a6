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

export {
  type BackupGroup,
  type CheckReport,
  checkSnapshots,
  clockDoubt,
  copyFile,
  type DeploymentInHand,
  describeSnapshot,
  findResumable,
  findShrunkenDumps,
  KnownRepositories,
  listGroups,
  namesGroup,
  openExisting,
  openOrCreate,
  type OriginFilter,
  passesFilter,
  type RepositoryAccess,
  repositoryMaterial,
  requireAllowed,
  sandboxOf,
  selectBackup,
  type SelectedBackup,
  type SnapshotDescription,
  type StoreFinding,
  validateStore,
} from "./catalogue/mod.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type Component, type Neo4jEdition, recordPath } from "./component.ts";
export { type Deployment, DeploymentRefusedError, UndoFailedError } from "./deployment/mod.ts";
export {
  commandSource,
  communityDumpAt,
  type ComponentSource,
  fileSource,
  type RestorableDump,
  type RestoreMaterial,
  tarSource,
} from "./dump/mod.ts";
export { DamagedSnapshotError, InfrahubBackupError, InvalidInputError } from "./errors.ts";
export {
  type BackupOrigin,
  checkDeploymentName,
  type DeploymentIdentity,
  originFields,
  parseOriginTags,
  readOriginFields,
  showDeployment,
  showOrigin,
} from "./origin/mod.ts";
export { METADATA_CHOICES, requireRedactionConfirmed, resolveEdition } from "./neo4j/mod.ts";
export type { ComponentProgress, Reporter, ReportFields } from "./reporter.ts";
export {
  backUpDeployment,
  createBackup,
  type CreateBackupOptions,
  type CreatedBackup,
  type Credentials,
  type DeploymentBackupOptions,
  describeLeftovers,
  describeRun,
  findCredentials,
  findPlace,
  identifyDeployment,
  isLost,
  planRestore,
  recoverRun,
  type RestoredFile,
  restoreToDirectory,
  type TransferCounts,
  verifyMaterial,
  watchedMaterial,
  watchedSources,
} from "./run/mod.ts";
export { formatSize, shortId } from "./show_values.ts";
export { describeShrinkage, type Shrinkage } from "./shrinkage.ts";
export {
  ArchiveBucket,
  archiveDumps,
  archiveFiles,
  archiveMaterial,
  ArchiveRecords,
  ArchiveTransferError,
  type CreatedArchive,
  findShrunkenArchive,
  prepareArchiveDirectory,
} from "./tarball/mod.ts";
export { type FlushKind, flushRuns, parseFlushArguments } from "./tasks/mod.ts";
export { formatLocalTime } from "./timestamp.ts";
export { DeploymentRuns, type RunRecord, type UnfinishedRun } from "./unfinished/mod.ts";
