/**
 * Whole runs, the only room that sees both a deployment and the place of its backups: store, back up,
 * plan a restore, restore.
 *
 * @module
 */

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
export {
  archiveMaterial,
  repositoryMaterial,
  type RestorableDump,
  type RestoreMaterial,
} from "./restore_material.ts";
export {
  type RestoredBackup,
  type RestoredFile,
  restoreToDirectory,
  type RestoreToDirectoryOptions,
} from "./restore_to_directory.ts";
export {
  describeShrinkage,
  findShrunkenDumps,
  isShrunken,
  type Shrinkage,
  type ShrinkageQuestion,
} from "./shrinkage.ts";
export {
  createBackup,
  type CreateBackupOptions,
  type CreatedBackup,
  type CreatedComponent,
  type TransferCounts,
} from "./store_backup.ts";
