/**
 * Backups in archives: packing the dumps of a run, archives in a bucket, the archive before this one,
 * the dumps in an archive. The bytes of an archive belong to `src/archive`; nothing here knows of a
 * repository or a deployment.
 *
 * @module
 */

export {
  archiveDumps,
  archiveFiles,
  type CreatedArchive,
  prepareArchiveDirectory,
} from "./archive_backup.ts";
export { ArchiveBucket, ArchiveTransferError } from "./archive_bucket.ts";
export { ArchiveRecords } from "./archive_records.ts";
export { archiveMaterial } from "./archive_material.ts";
export { findShrunkenArchive } from "./shrunken_archive.ts";
