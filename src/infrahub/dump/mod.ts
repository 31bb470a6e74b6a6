/**
 * The bytes of a component: where they come from, whether they are whole, and the frames in which they
 * are stored. Here a cut dump is noticed. Nothing here starts, stops or asks a service.
 *
 * @module
 */

export { bytesSource } from "./bytes_source.ts";
export { commandSource } from "./command_source.ts";
export { reframedSource, reframeDump, type ZstdDecompressor } from "./dump_reframing.ts";
export {
  DamagedDumpError,
  type DumpInspector,
  dumpInspector,
  dumpInspectorFor,
  type DumpVerdict,
  inspectDump,
  type Neo4jDumpCompression,
  neo4jDumpCompression,
} from "./dump_verification.ts";
export { fileSource } from "./file_source.ts";
export type { ComponentSource, OpenSource } from "./source.ts";
export { tarSource } from "./tar_source.ts";
export { verifiedSource } from "./verified_source.ts";
