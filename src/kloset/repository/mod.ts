/**
 * A repository as a whole: creating one, opening one, and what an open one offers. What happens
 * inside, one snapshot or one state at a time, is in the rooms below; nothing here knows how bytes
 * are laid out, and none of those rooms knows this one.
 *
 * @module
 */

export type { EngineOptions } from "./_assemble.ts";
export { type CreateOptions, createRepository } from "./create.ts";
export { openRepository } from "./open.ts";
export { Repository, type UnreadableSnapshot } from "./repository.ts";
