/** What a repository keeps besides its CONFIG; each object is named by 64 lower-case hex digits. */
export type ObjectKind = "packfile" | "state" | "lock";

/** What stands at a store's location before it is opened. */
export type StorePresence =
  /** Nothing, an empty directory, or a creation that was cut off before CONFIG was written. */
  | "absent"
  /** A CONFIG is there. */
  | "repository"
  /** Something else is there. */
  | "foreign";

/**
 * One object being written. Nothing is visible under the object's name before {@linkcode close}
 * has resolved, and nothing is left behind after {@linkcode abort}.
 */
export interface ObjectWriter {
  /**
   * Appends bytes. They may be a view of shared memory, and may be reused once this resolves.
   *
   * @throws {StoreError} the bytes could not be written; the writer can only be aborted then
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the object durable and visible, both or neither.
   *
   * @throws {StoreError} the object does not exist; temporary files are removed
   */
  close(): Promise<void>;
  /** Gives the object up. Never throws; idempotent; without effect after a successful close. */
  abort(): Promise<void>;
}

/**
 * Where a repository's files live. Guarantees that callers rely on:
 *
 * - an object is visible whole or not at all, and durable once its write has resolved;
 * - an object that is visible can be listed and read at once, by every client;
 * - objects are written once and never change.
 *
 * Every method throws {@linkcode StoreError} when the store fails, and
 * {@linkcode ObjectNotFoundError} where it says so.
 */
export interface Store {
  /** For messages; holds no secret. */
  readonly location: string;

  /** Tells what is at the location, without changing anything. */
  presence(): Promise<StorePresence>;

  /**
   * Prepares an absent location and writes CONFIG last.
   *
   * @throws {RepositoryExistsError} somebody else has created a repository there meanwhile; exactly
   * one creation succeeds, whatever the store can do
   * @throws {StoreError} it cannot be created
   */
  create(configuration: Uint8Array): Promise<void>;

  /** @throws {ObjectNotFoundError} there is no CONFIG */
  readConfiguration(): Promise<Uint8Array>;

  /** Names of all objects of a kind, in no order; other files are passed over. */
  list(kind: ObjectKind): Promise<string[]>;

  /**
   * Names and lengths in bytes of all objects of a kind, in one look: what a client that relies on
   * many of them asks once, in place of {@linkcode size} for each.
   */
  listSizes(kind: ObjectKind): Promise<Map<string, number>>;

  /**
   * Reads one whole object.
   *
   * @throws {ObjectNotFoundError} there is no such object
   */
  readAll(kind: ObjectKind, id: string): Promise<Uint8Array>;

  /**
   * Fills `target` with the object's bytes from `offset` on. `target` may be shared memory.
   *
   * @throws {ObjectNotFoundError} there is no such object
   * @throws {CorruptionError} the object ends before `target` is full
   */
  read(kind: ObjectKind, id: string, offset: number, target: Uint8Array): Promise<void>;

  /**
   * An object's length in bytes.
   *
   * @throws {ObjectNotFoundError} there is no such object
   */
  size(kind: ObjectKind, id: string): Promise<number>;

  /**
   * Writes a small object in one go. A lock replaces one of the same name, and is refreshed so.
   * Others are written once: the same bytes again are fine, and other bytes a store may refuse.
   */
  put(kind: ObjectKind, id: string, bytes: Uint8Array): Promise<void>;

  /** Starts writing an object of unknown length. */
  openWriter(kind: ObjectKind, id: string): Promise<ObjectWriter>;

  /** Removes an object; one that is not there is fine. */
  delete(kind: ObjectKind, id: string): Promise<void>;

  /**
   * Takes a name that means nothing to the repository itself, so that no two runs use it at the same
   * time, as far as the store can tell. What is in its folder `claims` is no part of the format, and
   * other programs pass over it.
   *
   * @param name letters, digits, dots, dashes and underscores
   * @returns what gives it back; undefined where somebody else has it
   */
  claim?(name: string): Promise<(() => Promise<void>) | undefined>;

  /**
   * Removes what writers have left behind that were killed: temporary files that nobody has written
   * to since `beforeMs`, milliseconds since 1970.
   */
  removeAbandoned(beforeMs: number): Promise<void>;
}

/**
 * Whether a file name is an object's name.
 *
 * @example Names of objects, and others
 * ```ts
 * import { isObjectName } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isObjectName("0f".repeat(32)), true);
 * assertEquals(isObjectName("tmp.1234"), false);
 * ```
 */
export function isObjectName(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}
