/**
 * The states of a repository: reading and merging them into the index of what lies where
 * ({@linkcode Catalog}), committing a new one ({@linkcode StateCommit}, the only way in which anything
 * comes to exist or ceases to), and the lock under which that is done. The bytes of states and locks
 * are in `format`, the index itself in `index`; what a state is about, snapshots and packfiles, is
 * none of this room's business.
 *
 * @module
 */

export { Catalog } from "./catalog.ts";
export type { Flavour } from "./flavour.ts";
export { SharedLock } from "./lock.ts";
export {
  findLocks,
  type FoundLock,
  type LockPatience,
  waitForExclusiveLocks,
} from "./lock_file.ts";
export { StateCommit } from "./state_commit.ts";
export type { DamagedState } from "./states.ts";
