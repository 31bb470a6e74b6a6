/**
 * Backups in archives: packing and unpacking the dumps of a run, archives in a bucket, the archive
 * before this one. The bytes of an archive belong to `src/archive`.
 *
 * @module
 */

export { archiveTar } from "./_archive_tar.ts";
export {
  type ArchiveBackupOptions,
  archiveDumps,
  archiveFiles,
  type CreatedArchive,
  prepareArchiveDirectory,
} from "./archive_backup.ts";
export {
  ArchiveBucket,
  ArchiveTransferError,
  type StoredArchive,
  type TransferOptions,
} from "./archive_bucket.ts";
export { findShrunkenArchive } from "./earlier_archive.ts";
