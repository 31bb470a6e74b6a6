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
