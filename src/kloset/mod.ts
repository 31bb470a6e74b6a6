/**
 * A deduplicating, content-addressed backup repository in the Kloset format, the format of plakar:
 * either reads what the other has written.
 *
 * A **store** holds a repository's files. A **snapshot** is a tree of files, written once and never
 * changed. Contents are cut into **chunks**, which are stored once however often they occur, in
 * **packfiles**; **states** tell which chunk is where. A **MAC** is the keyed hash that names and
 * authenticates each of these.
 *
 * @module
 */

export * from "./errors.ts";
export { defaultCacheDirectory } from "./index/mod.ts";
export {
  createRepository,
  type EngineOptions,
  openRepository,
  Repository,
  type UnreadableSnapshot,
} from "./repository.ts";
export { CheckMemo, type CheckOptions, type Damage } from "./snapshot/check.ts";
export type { Entry, ReadOptions, RecordedError, SnapshotReader } from "./snapshot/reader.ts";
export type { SnapshotHeader } from "./snapshot/snapshot_header.ts";
export type {
  EntryAttributes,
  SnapshotOptions,
  SnapshotStatistics,
  SnapshotWriter,
} from "./snapshot/writer.ts";
export type { DamagedState } from "./states.ts";
export * from "./store/mod.ts";
