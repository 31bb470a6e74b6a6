/**
 * The errors of the repository engine: each names a condition that a caller tells apart.
 *
 * Messages say what was attempted, on what, and what was found; the first cause is kept in `cause`.
 *
 * @module
 */

import { ToolError, type ToolErrorOptions } from "../errors/mod.ts";

/**
 * Base of every error that the engine throws on purpose.
 *
 * @example Tell the engine's errors from others
 * ```ts
 * import { KlosetError, openStore } from "@opsmill/infrahub-backup/kloset";
 *
 * try {
 *   openStore("ftp://example.org/backups");
 * } catch (error) {
 *   if (!(error instanceof KlosetError)) throw error;
 *   // Known to the engine: its message is meant for the user.
 * }
 * ```
 */
export class KlosetError extends ToolError {}

/**
 * The location is of a kind that this engine cannot open, such as an unknown scheme.
 *
 * @example A scheme that no store has
 * ```ts
 * import { openStore, UnsupportedLocationError } from "@opsmill/infrahub-backup/kloset";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => openStore("ftp://example.org/backups"), UnsupportedLocationError);
 * ```
 */
export class UnsupportedLocationError extends KlosetError {}

/**
 * Nothing is stored at the location: it does not exist, or it is an empty directory.
 *
 * @example Create a repository only where there is none
 * ```ts
 * import { createRepository, openRepository, openStore, RepositoryNotFoundError } from "@opsmill/infrahub-backup/kloset";
 *
 * const store = openStore(await Deno.makeTempDir());
 * const repository = await openRepository(store).catch((error) => {
 *   if (error instanceof RepositoryNotFoundError) return createRepository(store);
 *   throw error; // unreadable, encrypted, something else: never create over it
 * });
 * await repository.close();
 * ```
 */
export class RepositoryNotFoundError extends KlosetError {}

/**
 * Something is stored at the location, but it is not a Kloset repository.
 *
 * @example A directory with other content
 * ```ts
 * import { NotARepositoryError, openRepository, openStore } from "@opsmill/infrahub-backup/kloset";
 * import { assertRejects } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${directory}/notes.txt`, "mine");
 * await assertRejects(() => openRepository(openStore(directory)), NotARepositoryError);
 * ```
 */
export class NotARepositoryError extends KlosetError {}

/**
 * A stored file has a version, algorithm or option that this engine does not know.
 *
 * @example An error that only a newer engine can help
 * ```ts
 * import { UnsupportedVersionError } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new UnsupportedVersionError("Cannot open repository: state of version 9.0.0");
 * assertEquals(error.name, "UnsupportedVersionError");
 * ```
 */
export class UnsupportedVersionError extends KlosetError {}

/**
 * The repository is encrypted, and no usable passphrase was given.
 *
 * @example An error that calls for a passphrase
 * ```ts
 * import { EncryptedRepositoryError } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new EncryptedRepositoryError("Cannot open repository: it is encrypted");
 * assertEquals(error.name, "EncryptedRepositoryError");
 * ```
 */
export class EncryptedRepositoryError extends KlosetError {}

/**
 * The passphrase is not the one that the repository was encrypted with.
 *
 * @example An error that another passphrase can help
 * ```ts
 * import { WrongPassphraseError } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new WrongPassphraseError("Cannot open repository: the passphrase is wrong");
 * assertEquals(error.name, "WrongPassphraseError");
 * ```
 */
export class WrongPassphraseError extends KlosetError {}

/**
 * The passphrase for a new repository is too short.
 *
 * @example A passphrase that is refused
 * ```ts
 * import { createRepository, openStore, WeakPassphraseError } from "@opsmill/infrahub-backup/kloset";
 * import { assertRejects } from "@std/assert";
 *
 * const store = openStore(`${await Deno.makeTempDir()}/backups`);
 * const passphrase = () => Promise.resolve(new TextEncoder().encode("secret"));
 * await assertRejects(
 *   () => createRepository(store, { encrypt: true, passphrase }),
 *   WeakPassphraseError,
 * );
 * ```
 */
export class WeakPassphraseError extends KlosetError {}

/**
 * The store failed: permissions, a full disk, an unreachable device.
 *
 * @example A location that cannot be read
 * ```ts
 * import { openRepository, openStore, StoreError } from "@opsmill/infrahub-backup/kloset";
 * import { assertRejects } from "@std/assert";
 *
 * const file = await Deno.makeTempFile(); // a file, where a directory should be
 * await assertRejects(() => openRepository(openStore(file)), StoreError);
 * ```
 */
export class StoreError extends KlosetError {}

/**
 * The store has no object of that name.
 *
 * @example An object that is not there
 * ```ts
 * import { ObjectNotFoundError, openStore } from "@opsmill/infrahub-backup/kloset";
 * import { assertRejects } from "@std/assert";
 *
 * const store = openStore(await Deno.makeTempDir());
 * await assertRejects(() => store.readAll("state", "0".repeat(64)), ObjectNotFoundError);
 * ```
 */
export class ObjectNotFoundError extends StoreError {}

/**
 * There is a repository already where one was to be created, made by somebody else at the same time
 * as a rule. It can be opened.
 *
 * @example A second creation
 * ```ts
 * import { createRepository, openStore, RepositoryExistsError } from "@opsmill/infrahub-backup/kloset";
 * import { assertRejects } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * await (await createRepository(openStore(directory))).close();
 * await assertRejects(() => createRepository(openStore(directory)), RepositoryExistsError);
 * ```
 */
export class RepositoryExistsError extends StoreError {}

/**
 * Somebody else holds an exclusive lock on the repository.
 *
 * @example An error that time can heal
 * ```ts
 * import { LockedError } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new LockedError("Cannot write: db1 holds an exclusive lock (maintenance)");
 * assertEquals(error.name, "LockedError");
 * ```
 */
export class LockedError extends KlosetError {
  override readonly retryable = true;
}

/** Where damage was found, as far as known; ids are lower-case hex. */
export interface CorruptionContext {
  readonly snapshot?: string;
  readonly path?: string;
  readonly chunk?: string;
  readonly packfile?: string;
}

/**
 * Stored bytes are not what was written: cut, changed, missing, or malformed.
 *
 * @example Where the damage is
 * ```ts
 * import { CorruptionError } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new CorruptionError("A chunk is damaged", { path: "/prefect.dump" });
 * assertEquals(error.context.path, "/prefect.dump");
 * ```
 */
export class CorruptionError extends KlosetError {
  /** Where the damage is. */
  readonly context: CorruptionContext;

  constructor(message: string, context: CorruptionContext = {}, options?: ToolErrorOptions) {
    super(message, options);
    this.context = context;
  }
}

/**
 * A snapshot id or prefix is not hexadecimal.
 *
 * @example A prefix that no id can have
 * ```ts
 * import { createRepository, InvalidSnapshotIdError, openStore } from "@opsmill/infrahub-backup/kloset";
 * import { assertThrows } from "@std/assert";
 *
 * await using repository = await createRepository(openStore(await Deno.makeTempDir()));
 * assertThrows(() => repository.resolveSnapshotId("xyz"), InvalidSnapshotIdError);
 * ```
 */
export class InvalidSnapshotIdError extends KlosetError {}

/**
 * No snapshot has an id that starts with the given prefix.
 *
 * @example A prefix that no snapshot has
 * ```ts
 * import { createRepository, openStore, SnapshotNotFoundError } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * await using repository = await createRepository(openStore(await Deno.makeTempDir()));
 * const error = assertThrows(() => repository.resolveSnapshotId("3f2a"), SnapshotNotFoundError);
 * assertEquals(error.available, []);
 * ```
 */
export class SnapshotNotFoundError extends KlosetError {
  /** Ids of the snapshots that exist, 64 hex digits each. */
  readonly available: readonly string[];

  constructor(message: string, available: readonly string[]) {
    super(message);
    this.available = available;
  }
}

/**
 * Several snapshots have ids that start with the given prefix.
 *
 * @example How many snapshots match
 * ```ts
 * import { AmbiguousSnapshotIdError } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new AmbiguousSnapshotIdError("ambiguous snapshot ID", 2).matches, 2);
 * ```
 */
export class AmbiguousSnapshotIdError extends KlosetError {
  /** How many snapshots match. */
  readonly matches: number;

  constructor(message: string, matches: number) {
    super(message);
    this.matches = matches;
  }
}

/** How the message of any failure to open a repository begins. */
export function failedToOpen({ location }: { readonly location: string }): string {
  return `Cannot open repository "${location}"`;
}
