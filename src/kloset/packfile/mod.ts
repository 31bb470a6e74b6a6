/**
 * Blobs in packfiles: packing them in stream order, writing, reading with one more try, verifying. The
 * bytes of a packfile's parts are in `format`; which blob lies where is in `index` and `state`.
 *
 * @module
 */

export { BlobReader, filePosition } from "./blob_reader.ts";
export type { Appended, ChunkSink } from "./chunk_sink.ts";
export { Packer } from "./packer.ts";
export { verifyPackfile } from "./packfile_verifier.ts";
export { PackfileWriter } from "./packfile_writer.ts";
