/**
 * The errors of the repository engine: each names a condition that a caller tells apart.
 *
 * Messages say what was attempted, on what, and what was found; the first cause is kept in `cause`.
 *
 * @module
 */

/** Base of every error that the engine throws on purpose. */
export class KlosetError extends Error {
  override readonly name: string = this.constructor.name;
}

/** The location is of a kind that this engine cannot open, such as an unknown scheme. */
export class UnsupportedLocationError extends KlosetError {}

/** Nothing is stored at the location: it does not exist, or it is an empty directory. */
export class RepositoryNotFoundError extends KlosetError {}

/** Something is stored at the location, but it is not a Kloset repository. */
export class NotARepositoryError extends KlosetError {}

/** A stored file has a version, algorithm or option that this engine does not know. */
export class UnsupportedVersionError extends KlosetError {}

/** The repository is encrypted, and no usable passphrase was given. */
export class EncryptedRepositoryError extends KlosetError {}

/** The store failed: permissions, a full disk, an unreachable device. */
export class StoreError extends KlosetError {}

/** The store has no object of that name. */
export class ObjectNotFoundError extends StoreError {}

/** Somebody else holds an exclusive lock on the repository. */
export class LockedError extends KlosetError {}

/** Where damage was found, as far as known; ids are lower-case hex. */
export interface CorruptionContext {
  readonly snapshot?: string;
  readonly path?: string;
  readonly chunk?: string;
  readonly packfile?: string;
}

/** Stored bytes are not what was written: cut, changed, missing, or malformed. */
export class CorruptionError extends KlosetError {
  /** Where the damage is. */
  readonly context: CorruptionContext;

  constructor(message: string, context: CorruptionContext = {}, options?: ErrorOptions) {
    super(message, options);
    this.context = context;
  }
}

/** A snapshot id or prefix is not hexadecimal. */
export class InvalidSnapshotIdError extends KlosetError {}

/** No snapshot has an id that starts with the given prefix. */
export class SnapshotNotFoundError extends KlosetError {
  /** Ids of the snapshots that exist, 64 hex digits each. */
  readonly available: readonly string[];

  constructor(message: string, available: readonly string[]) {
    super(message);
    this.available = available;
  }
}

/** Several snapshots have ids that start with the given prefix. */
export class AmbiguousSnapshotIdError extends KlosetError {
  /** How many snapshots match. */
  readonly matches: number;

  constructor(message: string, matches: number) {
    super(message);
    this.matches = matches;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
