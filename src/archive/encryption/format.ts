import { KeyMismatchError, UnrecognizedFormatError } from "../errors.ts";

/** What a backup file is, told by its first byte. */
export type ArchiveFormat = "encrypted" | "gzip";

/** First byte of an encrypted file: its version. */
const ENCRYPTED = 0x02;
/** First byte of gzip. */
const GZIP = 0x1f;

/**
 * Tells the format by the first byte of a file; undefined for a file without any.
 *
 * @throws {UnrecognizedFormatError} when it is neither gzip nor encrypted
 */
export function detectFormat(firstByte: number | undefined): ArchiveFormat {
  if (firstByte === ENCRYPTED) return "encrypted";
  if (firstByte === GZIP) return "gzip";
  if (firstByte === undefined) {
    throw new UnrecognizedFormatError(
      "failed to detect file format: failed to read file header: file is empty",
    );
  }
  const hex = firstByte.toString(16).padStart(2, "0");
  throw new UnrecognizedFormatError(
    `failed to detect file format: unrecognized file format: first byte 0x${hex} ` +
      `(expected 0x02 for encrypted or 0x1f for gzip)`,
  );
}

/**
 * Requires a key for encrypted files, and only for them.
 *
 * @throws {KeyMismatchError}
 */
export function requireMatchingKey(format: ArchiveFormat, hasKey: boolean): void {
  if (format === "encrypted" && !hasKey) {
    throw new KeyMismatchError("backup file is encrypted; provide --decrypt-key to decrypt");
  }
  if (format === "gzip" && hasKey) {
    throw new KeyMismatchError("--decrypt-key provided but backup file is not encrypted");
  }
}
