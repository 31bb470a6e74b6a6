/**
 * One snapshot: writing it, reading from it, checking it.
 *
 * @module
 */

export { CheckMemo, type CheckOptions, type Damage } from "./check.ts";
export { MAXIMUM_WRITTEN_CHUNK_BYTES } from "./chunking.ts";
export { readHeader, readUnverifiedHeader } from "./header_reader.ts";
export { type Entry, type ReadOptions, type RecordedError, SnapshotReader } from "./reader.ts";
export {
  decodeCachedHeader,
  encodeCachedHeader,
  type SnapshotHeader,
  snapshotHeaderOf,
} from "./snapshot_header.ts";
export {
  type EntryAttributes,
  type SnapshotOptions,
  type SnapshotStatistics,
  SnapshotWriter,
} from "./writer.ts";
