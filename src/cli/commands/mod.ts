/**
 * The commands that operators call, by their route: `snapshots list` is `snapshots/list.ts`, and the
 * file with its folder's name adds the whole group. A command has its options, what it asks of
 * `src/infrahub`, and its result. What several commands share of the command line is in `syntax`, of a
 * run in `session` and `report`; what a backup or restore *is* belongs to `src/infrahub`.
 *
 * @module
 */

export { addCommands } from "./commands.ts";
export { superfluousRights } from "./rights.ts";
