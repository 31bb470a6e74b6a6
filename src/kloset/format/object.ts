import { type Mac } from "./mac.ts";
import { encodeStruct } from "./msgpack_writer.ts";
import { StructReader } from "./struct_reader.ts";

/** One piece of a file's content. */
export interface ObjectChunk {
  /** Version word. */
  readonly version: number;
  /** MAC of the plain bytes: the id of the CHUNK blob. */
  readonly contentMac: Mac;
  /** Plain length, bytes. */
  readonly length: number;
  /** Shannon entropy, bits per byte; 0 when empty. */
  readonly entropy: number;
  readonly flags: number;
}

/** The content of one file: the chunks that make it up, in order. */
export interface KlosetObject {
  /** Version word. */
  readonly version: number;
  /** MAC of the whole plain content. */
  readonly contentMac: Mac;
  readonly chunks: readonly ObjectChunk[];
  /** MIME type; may carry parameters. */
  readonly contentType: string;
  /** Mean of the chunks' entropies weighted by length, bits per byte. */
  readonly entropy: number;
  readonly flags: number;
}

/** The OBJECT blob. */
export function encodeObject(object: KlosetObject): Uint8Array {
  return encodeStruct([
    ["version", (w) => w.uint32(object.version)],
    ["contentMAC", (w) => w.mac(object.contentMac)],
    ["chunks", (w) =>
      w.array(object.chunks, (chunk) =>
        w.struct([
          ["version", (w) => w.uint32(chunk.version)],
          ["contentMAC", (w) => w.mac(chunk.contentMac)],
          ["length", (w) => w.uint32(chunk.length)],
          ["entropy", (w) => w.float64(chunk.entropy)],
          ["flags", (w) => w.uint32(chunk.flags)],
        ]))],
    object.contentType !== "" && ["content_type", (w) => w.string(object.contentType)],
    object.entropy !== 0 && ["entropy", (w) => w.float64(object.entropy)],
    ["flags", (w) => w.uint32(object.flags)],
  ]);
}

const FIELDS = ["version", "contentMAC", "chunks", "content_type", "entropy", "flags"];
const CHUNK_FIELDS = ["version", "contentMAC", "length", "entropy", "flags"];

/**
 * Reads an OBJECT blob.
 *
 * @throws {FormatError} If it is malformed.
 */
export function decodeObject(bytes: Uint8Array): KlosetObject {
  const fields = StructReader.fromBytes(bytes, FIELDS, "object");
  return {
    version: fields.uint("version", 32),
    contentMac: fields.mac("contentMAC"),
    chunks: fields.structs("chunks", CHUNK_FIELDS, (chunk) => ({
      version: chunk.uint("version", 32),
      contentMac: chunk.mac("contentMAC"),
      length: chunk.uint("length", 32),
      entropy: chunk.float("entropy"),
      flags: chunk.uint("flags", 32),
    })),
    contentType: fields.string("content_type"),
    entropy: fields.float("entropy"),
    flags: fields.uint("flags", 32),
  };
}
