import { encodeStruct } from "./msgpack_writer.ts";
import { StructReader } from "./struct_reader.ts";

/** A path that could not be read when the snapshot was made. */
export interface ErrorEntry {
  /** Version word. */
  readonly version: number;
  /** The path. */
  readonly name: string;
  /** What went wrong. */
  readonly error: string;
}

/** The ERROR_ENTRY blob. */
export function encodeErrorEntry(entry: ErrorEntry): Uint8Array {
  return encodeStruct([
    ["version", (w) => w.uint32(entry.version)],
    ["name", (w) => w.string(entry.name)],
    ["error", (w) => w.string(entry.error)],
  ]);
}

/**
 * Reads an ERROR_ENTRY blob.
 *
 * @throws {FormatError} If it is malformed.
 */
export function decodeErrorEntry(bytes: Uint8Array): ErrorEntry {
  const fields = StructReader.fromBytes(bytes, ["version", "name", "error"], "error entry");
  return {
    version: fields.uint("version", 32),
    name: fields.string("name"),
    error: fields.string("error"),
  };
}
