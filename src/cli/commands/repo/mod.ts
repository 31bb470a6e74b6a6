/**
 * `repo` and its sub-commands, which look after a repository as a whole rather than after backups.
 *
 * @module
 */

export { addRepo } from "./repo.ts";
