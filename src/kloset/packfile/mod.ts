/**
 * Blobs in packfiles: packing them in stream order, writing them, reading one by its id, verifying a
 * whole file. A packfile byte is written by {@linkcode PackfileWriter}. The bytes of a packfile's
 * parts are in `format`; which blob lies where is asked of `state`; what a blob means is known to
 * `snapshot` alone.
 *
 * @module
 */

export { BlobReader, filePosition } from "./blob_reader.ts";
export type { Appended, ChunkSink } from "./chunk_sink.ts";
export { doubtGaps } from "./gaps.ts";
export { Packer } from "./packer.ts";
export { verifyPackfile } from "./packfile_verifier.ts";
export { PackfileWriter } from "./packfile_writer.ts";
