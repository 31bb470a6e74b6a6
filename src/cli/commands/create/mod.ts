/**
 * `create` and its sub-commands: options, the run for either backend, and what is printed of it. How a
 * backup is made belongs to `src/infrahub/run`.
 *
 * @module
 */

export { addCreate } from "./create.ts";
