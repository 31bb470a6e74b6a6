/**
 * What a command has once its options are understood: the deployment, the repository, the passphrase.
 * Options are defined in `syntax`; commands are in `commands`.
 *
 * @module
 */

export { connect, type Connection, detectOptions, findDeployment } from "./connect.ts";
export {
  backupDirectory,
  openForSnapshots,
  repositoryAccess,
  requireKnownBackend,
  s3Settings,
  type Session,
  type SessionProvider,
  warnOfUnusedRepository,
  writeJson,
} from "./session.ts";
