/**
 * A deduplicating, content-addressed backup repository in the Kloset format, the format of plakar:
 * either reads what the other has written.
 *
 * A **store** holds a repository's files. A **snapshot** is a tree of files, written once and never
 * changed. Contents are cut into **chunks**, which are stored once however often they occur, in
 * **packfiles**; **states** tell which chunk is where. A **MAC** is the keyed hash that names and
 * authenticates each of these.
 *
 * The engine could be a library of its own: it knows nothing of what is backed up, and nothing in its
 * rooms imports this module.
 *
 * @module
 */

export {
  AmbiguousSnapshotIdError,
  type CorruptionContext,
  CorruptionError,
  EncryptedRepositoryError,
  InvalidSnapshotIdError,
  KlosetError,
  LockedError,
  NotARepositoryError,
  ObjectNotFoundError,
  RepositoryExistsError,
  RepositoryNotFoundError,
  SnapshotNotFoundError,
  StoreError,
  UnsupportedLocationError,
  UnsupportedVersionError,
  WeakPassphraseError,
  WrongPassphraseError,
} from "./errors.ts";
export { defaultCacheDirectory } from "./index/mod.ts";
export { MINIMUM_PASSPHRASE_CHARACTERS, type PassphraseProvider } from "./key/mod.ts";
export {
  type CreateOptions,
  createRepository,
  type EngineOptions,
  openRepository,
  Repository,
  type UnreadableSnapshot,
} from "./repository/mod.ts";
export {
  CheckMemo,
  type CheckOptions,
  type Damage,
  type Entry,
  type EntryAttributes,
  type ReadOptions,
  type RecordedError,
  type SnapshotHeader,
  type SnapshotOptions,
  type SnapshotReader,
  type SnapshotStatistics,
  type SnapshotWriter,
} from "./snapshot/mod.ts";
export type { DamagedState, FoundLock, LockPatience } from "./state/mod.ts";
export * from "./store/mod.ts";
