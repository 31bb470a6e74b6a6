/**
 * One snapshot: writing it, reading its header and its files, walking everything that it needs,
 * checking it. A walk (`walk.ts`) tells every blob without which something of the snapshot could not
 * be read; what is done with them is for its visitor, of which the check is one. Many snapshots at a
 * time, and which there are, are the matter of `repository` and `state`.
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
