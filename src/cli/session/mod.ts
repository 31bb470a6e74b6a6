/**
 * What a command has once its options are understood: the backend, the deployment, the repository and
 * its passphrase, the archive and its bucket. Options are defined in `syntax`; commands are in
 * `commands`, and only what several of them need is here.
 *
 * @module
 */

export { archiveBucket, uploadArchive } from "./archive_bucket.ts";
export {
  backupDirectory,
  parseArchiveUri,
  requireBackupFile,
  withLocalArchive,
} from "./archive_file.ts";
export { type Backend, requireKnownBackend, warnOfUnusedRepository } from "./backend.ts";
export {
  connect,
  connectAndIdentify,
  type Connection,
  deploymentName,
  detectOptions,
  findDeployment,
  type IdentifiedConnection,
} from "./connect.ts";
export { deploymentRuns, recordOf, settleEarlierRuns, tellOf } from "./earlier_runs.ts";
export { cacheDirectory, openForSnapshots, repositoryAccess } from "./repository.ts";
export { s3Settings } from "./s3_settings.ts";
export { stateDirectory } from "./state_directory.ts";
export type { Session, SessionProvider } from "./session.ts";
export { pauseForTransfer } from "./transfer_pause.ts";
