/**
 * The bytes of a Kloset repository: pure functions between byte arrays and typed values, both ways.
 *
 * Nothing here reads files, hashes, compresses or encrypts; hash functions are passed in. Whatever
 * the bytes, a decoder returns a value or throws {@linkcode FormatError}.
 *
 * Words: an **envelope** wraps each stored file; a **packfile** holds **blobs**; a **state** tells
 * where blobs lie; a snapshot's **header** is the blob that leads to its trees, whose **VFS
 * entries** lead to **objects**, lists of chunks. A **MAC** is a keyed hash of 32 bytes.
 *
 * @module
 */

export * from "./btree.ts";
export * from "./btree_builder.ts";
export * from "./btree_node.ts";
export * from "./configuration.ts";
export * from "./dirpack.ts";
export type {
  Argon2idParameters,
  Encryption,
  KdfParameters,
  Pbkdf2Parameters,
  ScryptParameters,
} from "./encryption.ts";
export * from "./envelope.ts";
export * from "./error_entry.ts";
export * from "./file_mode.ts";
export * from "./format_error.ts";
export * from "./header.ts";
export * from "./lock.ts";
export * from "./mac.ts";
export * from "./object.ts";
export * from "./packfile.ts";
export * from "./path.ts";
export * from "./resource_type.ts";
export * from "./state.ts";
export * from "./state_encoder.ts";
export {
  type BelowSummary,
  decodeSummary,
  type DirectorySummary,
  emptyBelowSummary,
  emptyDirectorySummary,
  encodeSummary,
  type Summary,
} from "./summary.ts";
export * from "./summary_builder.ts";
export * from "./timestamp.ts";
export * from "./uuid.ts";
export * from "./version.ts";
export * from "./vfs_entry.ts";
export * from "./xattr_entry.ts";
