/**
 * The states of a repository, merged into the index of what lies where, and the lock that keeps them
 * true while somebody works. Their bytes are in `format`.
 *
 * @module
 */

export { Catalog } from "./catalog.ts";
export type { Flavour } from "./flavour.ts";
export { SharedLock } from "./lock.ts";
export { StateCommit } from "./state_commit.ts";
export type { DamagedState } from "./states.ts";
