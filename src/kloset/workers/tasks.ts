import type { KernelImage, Region } from "../../kernels/mod.ts";
import type { UnitEncryption } from "../encryption/mod.ts";

/** Which keyed hash a repository uses, and its 32-byte key (format reference, section 5). */
export interface MacParameters {
  readonly algorithm: "BLAKE3" | "SHA256";
  readonly key: Uint8Array;
}

/** How a repository compresses; undefined: not at all. */
export type Compression = "LZ4" | "GZIP" | undefined;

/** What happens to a unit before it is stored: first it is compressed, then encrypted. */
export interface Encoding {
  readonly compression: Compression;
  /** Undefined: it is not encrypted. */
  readonly encryption: UnitEncryption | undefined;
}

/**
 * Computes the MAC of `data[0, length)`, and its entropy where asked for (0 otherwise); and hashes
 * it as the part of a content.
 */
export interface HashTask {
  readonly operation: "hash";
  readonly data: Region;
  readonly length: number;
  readonly mac: MacParameters;
  readonly entropy: boolean;
  /** Where the data stand in the content, in bytes. */
  readonly position: number;
}

/** Hashes `data[0, length)`, which stand at byte `position` of a stream, as a part of it. */
export interface PartTask {
  readonly operation: "part";
  readonly data: Region;
  readonly length: number;
  readonly mac: MacParameters;
  readonly position: number;
}

/** Encodes `data[0, length)` into `target`, which holds at least `encodedBound` of it. */
export interface EncodeTask {
  readonly operation: "encode";
  readonly data: Region;
  readonly length: number;
  readonly target: Region;
  readonly encoding: Encoding;
}

/**
 * Decodes `data[start, start + length)`, which may be lost thereby, into `target`, computes the MAC
 * of what came out, and hashes it as the part of a content.
 */
export interface DecodeTask {
  readonly operation: "decode";
  readonly data: Region;
  readonly start: number;
  readonly length: number;
  readonly target: Region;
  readonly encoding: Encoding;
  readonly mac: MacParameters;
  /** Where the plain data stand in the content, in bytes. */
  readonly position: number;
}

/** What a worker can be asked to do. Regions stay untouched by others until it has answered. */
export type Task = HashTask | PartTask | EncodeTask | DecodeTask;

/**
 * What is left to do for the MAC of a whole when a part of it was hashed: chaining values of BLAKE3;
 * undefined with an algorithm that takes in its input in order only.
 */
export type HashedPart = Uint8Array | undefined;

/** The answer to a {@linkcode HashTask}; entropy in bits per byte. */
export interface HashResult {
  readonly mac: Uint8Array;
  readonly entropy: number;
  readonly part: HashedPart;
}

/** The answer to an {@linkcode EncodeTask}: bytes written. */
export interface EncodeResult {
  readonly length: number;
}

/** The answer to a {@linkcode DecodeTask}: plain bytes and their MAC, or why they do not decode. */
export type DecodeResult =
  | { readonly length: number; readonly mac: Uint8Array; readonly part: HashedPart }
  | { readonly damage: string };

/** The answer type of each task. */
export type TaskResult<T extends Task> = T extends HashTask ? HashResult
  : T extends EncodeTask ? EncodeResult
  : T extends DecodeTask ? DecodeResult
  : T extends PartTask ? HashedPart
  : never;

/** The message to a worker: the only one. */
export interface WorkerStart {
  readonly image: KernelImage;
  readonly scratch: Region;
  /** BLAKE3 state for one-shot hashes. */
  readonly state: Region;
  /** Memory of its mailbox. */
  readonly mailbox: SharedArrayBuffer;
}
