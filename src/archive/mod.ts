/**
 * Backup archives: `infrahub_backup_<time>.tar.gz`, plain or encrypted, as the Go tool writes and
 * reads them.
 *
 * ```
 * backup/
 * backup/backup_information.json   metadata with the SHA-256 of every other file
 * backup/database/…                Neo4j: files of an online backup, or `<database>.dump`
 * backup/prefect.dump              PostgreSQL of the task manager; may be left out
 * backup/storage.tar               Infrahub's stored objects; only where they were asked for
 * ```
 *
 * Everything streams; memory does not depend on sizes. Writing ends with reading the archive again,
 * and reading begins with verifying all of it. Where the dumps come from, and what is done with
 * them, is not known here.
 *
 * @module
 */

export {
  BUILT_IN_PUBLIC_KEY,
  generateKeyPair,
  type KeyPair,
  loadPrivateKey,
  loadPublicKey,
  parsePrivateKey,
  parsePublicKey,
  writeKeyFiles,
  type WriteKeyFilesOptions,
} from "./encryption/mod.ts";
export * from "./errors.ts";
export {
  type ArchiveInput,
  fileInput,
  spool,
  type SpooledFile,
  type SpoolOptions,
} from "./io/mod.ts";
export * from "./layout.ts";
export * from "./limits.ts";
export * from "./metadata.ts";
export { Archive, type ExtractOptions, openArchive } from "./reader.ts";
export type { ArchiveSource, PathSource, SourceAttributes, StreamSource } from "./tar/mod.ts";
export {
  type ArchiveContents,
  type ArchiveFile,
  verifyArchive,
  type VerifyOptions,
} from "./verify.ts";
export * from "./writer.ts";
