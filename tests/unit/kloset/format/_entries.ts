import { type ErrorEntry, type XattrEntry } from "../../../../src/kloset/format/mod.ts";
import { encodeStruct } from "../../../../src/kloset/format/msgpack_writer.ts";

/** An ERROR_ENTRY blob, which this project reads and never writes. */
export function encodeErrorEntry(entry: ErrorEntry): Uint8Array {
  return encodeStruct([
    ["version", (w) => w.uint32(entry.version)],
    ["name", (w) => w.string(entry.name)],
    ["error", (w) => w.string(entry.error)],
  ]);
}

/** An XATTR_ENTRY blob, which this project reads and never writes. */
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
