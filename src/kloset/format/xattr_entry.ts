import type { Mac } from "./mac.ts";
import { StructReader } from "./struct_reader.ts";

/** An extended attribute of an entry; its content is an object. */
export interface XattrEntry {
  /** Version word. */
  readonly version: number;
  /** Path of the entry that has the attribute. */
  readonly path: string;
  readonly name: string;
  /** Bytes of content. */
  readonly size: number;
  /** 0: extended attribute, 1: alternate data stream, 2: custom; others may come. */
  readonly type: number;
  /** The OBJECT with the content. */
  readonly object: Mac;
}

const FIELDS = ["version", "path", "name", "size", "type", "object"];

/**
 * Reads an XATTR_ENTRY blob.
 *
 * @throws {FormatError} If it is malformed.
 */
export function decodeXattrEntry(bytes: Uint8Array): XattrEntry {
  const fields = StructReader.fromBytes(bytes, FIELDS, "xattr entry");
  return {
    version: fields.uint("version", 32),
    path: fields.string("path"),
    name: fields.string("name"),
    size: fields.size("size"),
    type: fields.uint("type", 8),
    object: fields.mac("object"),
  };
}
