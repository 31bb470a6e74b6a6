/**
 * The errors of the archive library: each names a condition that a caller tells apart.
 *
 * Texts that scripts know from the Go tool start in lower case, as they do there.
 *
 * @module
 */

import { ToolError, type ToolErrorOptions } from "../errors/mod.ts";

/** Base of every error that this library throws on purpose. */
export class ArchiveError extends ToolError {}

/** A file or directory could not be read, written, or given its name: the cause tells why. */
export class ArchiveIoError extends ArchiveError {}

/** The name that an archive, key or directory should get is taken. */
export class AlreadyExistsError extends ArchiveError {}

/** What should go into an archive cannot: a bad name, a link, a file that changed meanwhile. */
export class InvalidSourceError extends ArchiveError {}

/** The file is neither a gzip nor an encrypted archive. */
export class UnrecognizedFormatError extends ArchiveError {}

/** An encrypted archive without a key, or a key for an archive that is not encrypted. */
export class KeyMismatchError extends ArchiveError {}

/** A key cannot be loaded. */
export class InvalidKeyError extends ArchiveError {}

/** An encrypted file is damaged, or was made for another key. */
export class DecryptionError extends ArchiveError {}

/** An archive is cut, changed, incomplete, or holds what its metadata does not list. */
export class DamagedArchiveError extends ArchiveError {
  /** Every problem that was found, one sentence each; the message is the first. */
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[], options?: ToolErrorOptions) {
    const all = typeof problems === "string" ? [problems] : problems;
    const [first = "archive is damaged"] = all;
    super(all.length > 1 ? `${first} (and ${all.length - 1} more)` : first, options);
    this.problems = all;
  }
}

/** An archive holds what no backup holds: paths that escape, links, devices, a name twice. */
export class UnsafeArchiveError extends ArchiveError {}

/** An archive is larger, or has more entries, than the caller allows. */
export class ArchiveLimitError extends ArchiveError {}
