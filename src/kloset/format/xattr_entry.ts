import type { Mac } from "./mac.ts";
import { encodeStruct } from "./msgpack_writer.ts";
import { StructReader } from "./struct_reader.ts";

/** Numbers of the kinds of attributes. */
export const XattrType = { EXTENDED: 0, ALTERNATE_DATA_STREAM: 1, CUSTOM: 2 } as const;

/** An extended attribute of an entry; its content is an object. */
export interface XattrEntry {
  /** Version word. */
  readonly version: number;
  /** Path of the entry that has the attribute. */
  readonly path: string;
  readonly name: string;
  /** Bytes of content. */
  readonly size: number;
  /** See {@linkcode XattrType}; read numbers may be unknown. */
  readonly type: number;
  /** The OBJECT with the content. */
  readonly object: Mac;
}

/** The key of an attribute in the tree: path, name, and a separator that tells the type. */
export function xattrKey(entry: Pick<XattrEntry, "path" | "name" | "type">): string {
  return entry.path + entry.name + (":@%"[entry.type] ?? "#");
}

/** The XATTR_ENTRY blob. */
export function encodeXattrEntry(entry: XattrEntry): Uint8Array {
  return encodeStruct([
    ["version", (w) => w.uint32(entry.version)],
    ["path", (w) => w.string(entry.path)],
    ["name", (w) => w.string(entry.name)],
    ["size", (w) => w.int64(entry.size)],
    ["type", (w) => w.uint8(entry.type)],
    ["object", (w) => w.mac(entry.object)],
  ]);
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
