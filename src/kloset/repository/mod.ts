/**
 * A repository as a whole: creating one, opening one, and what an open one offers to those who use the
 * engine. Everything is put together here: which rooms there are, only this one knows, and none of
 * them knows it. What happens to one snapshot, one state or one packfile is in their rooms.
 *
 * @module
 */

export type { EngineOptions } from "./_assemble.ts";
export { type CreateOptions, createRepository } from "./create.ts";
export { openRepository } from "./open.ts";
export { Repository, type UnreadableSnapshot } from "./repository.ts";
