import { failedToOpen, UnsupportedVersionError } from "../errors.ts";
import type { Configuration } from "../format/mod.ts";
import type { Compression, MacParameters } from "../workers/mod.ts";

/** What messages name a repository by. */
interface Located {
  readonly location: string;
}

/**
 * The hash of a repository's MACs.
 *
 * @throws {UnsupportedVersionError} it is none that this engine knows
 */
export function hashAlgorithm(
  { hashing }: Configuration,
  store: Located,
): MacParameters["algorithm"] {
  switch (hashing.algorithm) {
    case "BLAKE3":
    case "SHA256":
      return hashing.algorithm;
    default:
      throw new UnsupportedVersionError(
        `${failedToOpen(store)}: unknown hash "${hashing.algorithm}"`,
      );
  }
}

/**
 * How a repository's units are compressed; undefined: they are not.
 *
 * @throws {UnsupportedVersionError} in a way that this engine does not know
 */
export function compressionAlgorithm(
  { compression }: Configuration,
  store: Located,
): Compression {
  switch (compression?.algorithm) {
    case undefined:
      return undefined;
    case "LZ4":
    case "GZIP":
      return compression?.algorithm;
    default:
      throw new UnsupportedVersionError(
        `${failedToOpen(store)}: unknown compression "${compression?.algorithm}"`,
      );
  }
}
