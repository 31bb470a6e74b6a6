/**
 * Whole runs: back up a deployment, store its dumps as a backup, plan a restore and carry it out,
 * restore into a directory. The only room that sees both a deployment and the place of its backups:
 * here is decided what happens in which order, and what is undone. How one thing is done belongs to
 * the room of that thing.
 *
 * @module
 */

export { type Credentials, findCredentials } from "./credentials.ts";
export { backUpDeployment, type DeploymentBackupOptions } from "./deployment_backup.ts";
export { planRestore } from "./deployment_restore.ts";
export { findPlace, identifyDeployment } from "./identify_deployment.ts";
export {
  describeLeftovers,
  describeRun,
  isLost,
  type RecoverOptions,
  recoverRun,
} from "./recover.ts";
export { type RestoredFile, restoreToDirectory } from "./restore_to_directory.ts";
export {
  createBackup,
  type CreateBackupOptions,
  type CreatedBackup,
  type TransferCounts,
} from "./store_backup.ts";
export { verifyMaterial } from "./verify_material.ts";
export { watchedMaterial, watchedSources } from "./watched.ts";
