/**
 * `restore`: which backup, into what, and what is printed of it. How a restore works belongs to
 * `src/infrahub/run`.
 *
 * @module
 */

export { addRestore } from "./restore.ts";
