/**
 * The bytes of a component: where they come from, whether they are whole, the frames in which they are
 * stored, and what a restore takes them from. Here a cut dump is noticed. Nothing here starts, stops
 * or asks a service, and nothing knows where a backup is kept.
 *
 * @module
 */

export { bytesSource } from "./bytes_source.ts";
export { communityDumpAt } from "./community_dump.ts";
export { commandSource } from "./command_source.ts";
export type { DumpInspector } from "./inspector.ts";
export { fileSource } from "./file_source.ts";
export { reframedSource } from "./reframing.ts";
export { type PostgresDumpContents, rolesIn } from "./postgres_contents.ts";
export type { RestorableDump, RestoreMaterial } from "./restorable_dump.ts";
export type { ComponentSource, OpenSource } from "./source.ts";
export { tarSource } from "./tar_source.ts";
export {
  dumpInspector,
  dumpInspectorFor,
  inspectDump,
  neo4jDumpCompression,
} from "./verification.ts";
export { verifiedSource } from "./verified_source.ts";
