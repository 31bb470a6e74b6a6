import { gunzipSync, gzipSync } from "node:zlib";
import type { Kernels } from "../kernels/mod.ts";
import { FormatError } from "./format/mod.ts";
import type { Compression } from "./workers/mod.ts";

/**
 * Greatest plain length of an encoded unit that is decoded in one piece: states, indexes, metadata
 * blobs. Only a hostile unit claims more.
 */
const MAXIMUM_UNIT_BYTES = 512 * 1024 * 1024;

/** Encodes and decodes small units on the calling thread (format reference, section 4). */
export class Codec {
  readonly compression: Compression;
  readonly #kernels: Kernels;

  constructor(kernels: Kernels, compression: Compression) {
    this.#kernels = kernels;
    this.compression = compression;
  }

  /** The unit as it is stored. */
  encode(plain: Uint8Array): Uint8Array {
    switch (this.compression) {
      case "LZ4":
        return this.#kernels.compress(plain);
      case "GZIP":
        return new Uint8Array(gzipSync(plain));
      case undefined:
        return plain;
    }
  }

  /**
   * The unit's plain bytes.
   *
   * @throws {FormatError} the unit is damaged
   */
  decode(encoded: Uint8Array): Uint8Array {
    try {
      switch (this.compression) {
        case "LZ4":
          return this.#kernels.decompress(encoded, MAXIMUM_UNIT_BYTES);
        case "GZIP":
          return new Uint8Array(gunzipSync(encoded, { maxOutputLength: MAXIMUM_UNIT_BYTES }));
        case undefined:
          return encoded;
      }
    } catch (error) {
      throw new FormatError(
        "encoded unit",
        error instanceof Error ? error.message : String(error),
      );
    }
  }
}
