/**
 * `snapshots` and its sub-commands: list, show, cat and check what a repository holds.
 *
 * @module
 */

export { addSnapshots } from "./snapshots.ts";
