import { gunzipSync, gzipSync } from "node:zlib";
import { messageOf } from "../../errors/mod.ts";
import type { Kernels, Region } from "../../kernels/mod.ts";
import {
  decryptUnit,
  encryptionOverhead,
  encryptUnit,
  type UnitEncryption,
} from "../encryption/mod.ts";
import { FormatError } from "../format/mod.ts";
import type { Encoding } from "../workers/mod.ts";

/**
 * Greatest plain length of an encoded unit that is decoded in one piece: states, indexes, metadata
 * blobs. Only a hostile unit claims more.
 */
const MAXIMUM_UNIT_BYTES = 512 * 1024 * 1024;

/** Encodes and decodes small units on the calling thread (format reference, section 4). */
export class Codec {
  readonly encoding: Encoding;
  readonly #kernels: Kernels;

  /** @param kernels of the thread that owns the memory */
  constructor(kernels: Kernels, encoding: Encoding) {
    this.#kernels = kernels;
    this.encoding = encoding;
  }

  /** The unit as it is stored. */
  encode(plain: Uint8Array): Uint8Array {
    const { encryption } = this.encoding;
    const compressed = this.#compress(plain);
    return encryption === undefined ? compressed : this.#encrypt(encryption, compressed);
  }

  /**
   * The unit's plain bytes.
   *
   * @throws {FormatError} the unit is damaged
   */
  decode(encoded: Uint8Array): Uint8Array {
    const { encryption } = this.encoding;
    try {
      return this.#decompress(
        encryption === undefined ? encoded : this.#decrypt(encryption, encoded),
      );
    } catch (error) {
      throw new FormatError(
        "encoded unit",
        messageOf(error),
      );
    }
  }

  #compress(plain: Uint8Array): Uint8Array {
    switch (this.encoding.compression) {
      case "LZ4":
        return this.#kernels.compress(plain);
      case "GZIP":
        return new Uint8Array(gzipSync(plain));
      case undefined:
        return plain;
    }
  }

  #decompress(compressed: Uint8Array): Uint8Array {
    switch (this.encoding.compression) {
      case "LZ4":
        return this.#kernels.decompress(compressed, MAXIMUM_UNIT_BYTES);
      case "GZIP":
        return new Uint8Array(gunzipSync(compressed, { maxOutputLength: MAXIMUM_UNIT_BYTES }));
      case undefined:
        return compressed;
    }
  }

  #encrypt(encryption: UnitEncryption, bytes: Uint8Array): Uint8Array {
    const kernels = this.#kernels;
    const start = encryptionOverhead(bytes.length, encryption);
    return this.#inRegion(start + bytes.length, (region) => {
      kernels.bytes(region, start).set(bytes);
      const length = encryptUnit(kernels, encryption, region, start, bytes.length);
      return kernels.bytes(region, 0, length).slice();
    });
  }

  #decrypt(encryption: UnitEncryption, unit: Uint8Array): Uint8Array {
    const kernels = this.#kernels;
    return this.#inRegion(Math.max(unit.length, 1), (region) => {
      kernels.bytes(region).set(unit);
      const length = decryptUnit(kernels, encryption, region, 0, unit.length);
      return kernels.bytes(region, 0, length).slice();
    });
  }

  #inRegion<T>(byteLength: number, use: (region: Region) => T): T {
    const region = this.#kernels.allocate(byteLength);
    try {
      return use(region);
    } finally {
      this.#kernels.free(region);
    }
  }
}
