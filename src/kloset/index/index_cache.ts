import { DatabaseSync } from "node:sqlite";
import { messageOf, ToolError } from "../../errors/mod.ts";
import { existsSync } from "../../files/mod.ts";
import {
  type Mac,
  MAC_BYTES,
  macFromHex,
  type MacFunction,
  macsEqual,
  macToHex,
} from "../format/mod.ts";
import { BlobIndex, type BlobIndexSummary } from "./blob_index.ts";

/** Layout of the file, its `user_version`. Files of another layout are not read. */
const CACHE_VERSION = 1;

/** Large blobs are chains of database pages: larger ones make shorter chains. */
const DATABASE_PAGE_BYTES = 32 * 1024;

/** What the checksum of a suspect covers beside its id, so that no header's does for it. */
const SUSPECT = new TextEncoder().encode("suspect");

const DEFAULT_MAXIMUM_BYTES = 4 * 1024 ** 3;
const DEFAULT_BUSY_TIMEOUT_MS = 2000;

/**
 * One `head` row binds everything that must belong together: its checksum covers every other
 * column but the generation, and `pages` lists the checksum of each row of `page` in order. A
 * `header` row stands for itself: its checksum covers id and bytes, which never change. So does a
 * `suspect` row, which names a packfile that was found damaged.
 */
const SCHEMA = `
  CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    generation INTEGER NOT NULL,
    repository TEXT NOT NULL,
    extra TEXT NOT NULL,
    states BLOB NOT NULL,
    packfiles BLOB NOT NULL,
    colours BLOB NOT NULL,
    snapshots BLOB NOT NULL,
    pages BLOB NOT NULL,
    checksum BLOB NOT NULL
  );
  CREATE TABLE page (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  CREATE TABLE header (id BLOB PRIMARY KEY, bytes BLOB NOT NULL, checksum BLOB NOT NULL);
  CREATE TABLE suspect (packfile BLOB PRIMARY KEY, checksum BLOB NOT NULL);
  PRAGMA user_version = ${CACHE_VERSION};
`;

/** What {@linkcode IndexCache} needs. */
export interface IndexCacheOptions {
  /** Directory of the cache file; created when missing, for this user only. */
  readonly directory: string;
  /** Id of the repository, which names the file: letters, digits and hyphens. */
  readonly repositoryId: string;
  /**
   * Where the repository is, which names the file as well: a copy of a repository has the same id and
   * other states, and the two would throw each other's index away.
   */
  readonly location: string;
  /** The repository's MAC, which guards what is stored. */
  readonly mac: MacFunction;
  /** Told why the cache cannot be used: once, in a sentence for the user. */
  readonly onWarning?: (message: string) => void;
  /**
   * Largest size of the file, in bytes. What would make it larger is not saved.
   *
   * @default {4294967296}
   */
  readonly maximumBytes?: number;
  /**
   * How long to wait for another process, in milliseconds.
   *
   * @default {2000}
   */
  readonly busyTimeoutMs?: number;
}

/** A merged view of states, and what is needed to go on merging. */
export interface CachedIndex {
  /** The merged view. */
  readonly index: BlobIndex;
  /** Ids of the states merged into it, in hex. */
  readonly stateIds: ReadonlySet<string>;
  /** Whatever else the caller wants back: not interpreted. */
  readonly extra: string;
}

/** The file says something that was not saved there. */
class DamagedCacheError extends ToolError {}

/** The file is sound, but not for this program to read or replace. */
class UnusableCacheError extends ToolError {}

/**
 * A file in which the {@linkcode BlobIndex} of a repository and its snapshot headers outlive the
 * process.
 *
 * Nothing in it is needed: every method behaves as if there were no cache when something is wrong,
 * and none throws. What is read is verified first; a damaged file is reported, removed, and made
 * anew by the next {@linkcode save}. Any other failure is reported and ends the use of the cache
 * in this process.
 *
 * Processes may share the file. Each save is one transaction, and is left out when another process
 * has saved since this one loaded: its view is as good, and what it lacks is merged next time.
 *
 * The file uses SQLite's rollback journal. Write-ahead logging would let readers and a writer
 * overlap, but it needs shared memory, which home directories on network file systems do not
 * have; it writes new pages twice; and it leaves three files in place of one. Transactions here
 * are short and rare.
 */
export class IndexCache implements Disposable {
  readonly #options: IndexCacheOptions;
  readonly #path: string;
  #database: DatabaseSync | undefined;
  #enabled = true;
  #warned = false;

  // The state of the file as this process last loaded or saved it.
  #generation: number | undefined;
  #index: BlobIndex | undefined;
  #pageMacs: readonly Mac[] = [];
  #content: Mac | undefined;

  #newHeaders = new Map<string, { id: Mac; bytes: Uint8Array }>();
  #newSuspects = new Map<string, Mac>();

  /** Nothing is opened or created until it is needed. */
  constructor(options: IndexCacheOptions) {
    this.#options = options;
    const place = macToHex(options.mac(new TextEncoder().encode(options.location)));
    this.#path = `${options.directory}/${options.repositoryId}-${place.slice(0, 16)}.sqlite3`;
    if (!/^[0-9A-Za-z-]+$/.test(options.repositoryId)) {
      this.#fail(new UnusableCacheError("the repository id is no file name"));
    }
  }

  /**
   * The saved index, without its pages (see {@linkcode BlobIndex.complete}); undefined when there
   * is none that can be used.
   *
   * The caller compares `stateIds` with the store: when one is not there any more, the index may
   * hold what no state says, and {@linkcode invalidate} is due.
   */
  load(): CachedIndex | undefined {
    return this.#attempt(() => {
      const row = this.#read((database) => database.prepare("SELECT * FROM head").get());
      if (row === undefined) return undefined;
      const head = readHead(row);
      if (head.repository !== this.#options.repositoryId) {
        throw new DamagedCacheError("it belongs to another repository");
      }
      const content = this.#contentMac(head);
      if (!macsEqual(content, head.checksum)) throw new DamagedCacheError("its checksum is wrong");
      const index = BlobIndex.fromSummary(head);
      const stateIds = new Set(split(head.states).map(macToHex));
      this.#generation = head.generation;
      this.#index = index;
      this.#pageMacs = split(head.pages);
      this.#content = content;
      return { index, stateIds, extra: head.extra };
    });
  }

  /**
   * Loads the pages of an index that {@linkcode load} gave.
   *
   * @returns Whether the index is complete now. When not, it stays as it was, and the caller
   * merges all states into a new one: the cache is damaged, or another process has saved since.
   */
  complete(index: BlobIndex): boolean {
    if (index.complete) return true;
    return this.#attempt(() =>
      this.#read((database) => {
        if (index !== this.#index || readGeneration(database) !== this.#generation) return false;
        index.attachPages(this.#readPages(database));
        return true;
      })
    ) ?? false;
  }

  *#readPages(database: DatabaseSync): Generator<Uint8Array> {
    const select = database.prepare("SELECT bytes FROM page WHERE number = ?");
    for (const [number, mac] of this.#pageMacs.entries()) {
      const bytes = bytesOf(select.get(number), "bytes");
      if (!macsEqual(this.#options.mac(bytes), mac)) {
        throw new DamagedCacheError(`the checksum of page ${number} is wrong`);
      }
      yield bytes;
    }
  }

  /**
   * Saves what has changed since it was loaded or saved, and the headers and suspects put since then.
   * Headers of snapshots that do not exist any more are removed.
   *
   * An index that is not complete can only be saved to where it came from.
   *
   * @returns Whether everything is saved. When another process has saved since this one loaded,
   * only headers and suspects are.
   */
  save(contents: CachedIndex): boolean {
    return this.#attempt(() => {
      const { index } = contents;
      if (!index.complete && index !== this.#index) return false;
      index.compact();
      const { head, pageMacs, changedPages } = this.#describe(contents);
      const content = this.#contentMac(head);
      const changed = this.#content === undefined || !macsEqual(content, this.#content);
      if (!changed && !this.hasNews) return true;

      const database = this.#create();
      // Random, not counted: a file that was removed and made anew must not look like the old one.
      const generation = Math.floor(Math.random() * 2 ** 48);
      const outdated = transaction(database, "IMMEDIATE", () => {
        if (readVersion(database) === 0) database.exec(SCHEMA);
        const outdated = readGeneration(database) !== this.#generation;
        this.#writeHeaders(database);
        this.#writeSuspects(database);
        if (changed && !outdated) {
          writePages(database, index, pageMacs.length, changedPages);
          writeHead(database, { ...head, generation, checksum: content });
          removeHeadersExcept(database, index.snapshotIds());
        }
        return outdated;
      });
      this.#newHeaders.clear();
      this.#newSuspects.clear();
      if (!changed) return true;
      if (outdated) return false;
      this.#generation = generation;
      this.#index = index;
      this.#pageMacs = pageMacs;
      this.#content = content;
      index.markClean();
      return true;
    }) ?? false;
  }

  #describe({ index, stateIds, extra }: CachedIndex) {
    const known = index === this.#index;
    const changedPages = known ? [...index.dirtyPages] : [...Array(index.pageCount).keys()];
    const pageMacs = known ? [...this.#pageMacs] : [];
    if (index.complete) pageMacs.length = index.pageCount;
    for (const page of changedPages) pageMacs[page] = this.#options.mac(index.pageBytes(page));
    const head: HeadContent = {
      repository: this.#options.repositoryId,
      extra,
      states: concatenate([...stateIds].sort().map(macFromHex)),
      ...index.summary(),
      pages: concatenate(pageMacs),
    };
    return { head, pageMacs, changedPages };
  }

  /** The checksum of a head: the MAC of the MACs of its columns. */
  #contentMac(head: HeadContent): Mac {
    const { mac } = this.#options;
    const texts = JSON.stringify([CACHE_VERSION, head.repository, head.extra]);
    return mac(concatenate([
      mac(new TextEncoder().encode(texts)),
      mac(head.states),
      mac(head.packfiles),
      mac(head.colours),
      mac(head.snapshots),
      mac(head.pages),
    ]));
  }

  /** The saved bytes of snapshots' headers; undefined in place of those that are not there. */
  getHeaders(ids: readonly Mac[]): (Uint8Array | undefined)[] {
    return this.#attempt(() =>
      this.#read((database) => {
        const saved = new Map<string, unknown>();
        // One statement for all of them, not one each: a list asks for nearly every row.
        for (const row of database.prepare("SELECT id, bytes, checksum FROM header").all()) {
          saved.set(macToHex(bytesOf(row, "id")), row);
        }
        return ids.map((id) => {
          const hex = macToHex(id);
          return this.#newHeaders.get(hex)?.bytes ?? this.#verified(id, saved.get(hex));
        });
      })
    ) ?? ids.map((id) => this.#newHeaders.get(macToHex(id))?.bytes);
  }

  #verified(id: Mac, row: unknown): Uint8Array | undefined {
    if (row === undefined) return undefined;
    const bytes = bytesOf(row, "bytes");
    if (!macsEqual(this.#headerMac(id, bytes), bytesOf(row, "checksum"))) {
      throw new DamagedCacheError("the checksum of a snapshot header is wrong");
    }
    return bytes;
  }

  /** Whether a header or a suspect was put since the last {@linkcode save}. */
  get hasNews(): boolean {
    return this.#newHeaders.size > 0 || this.#newSuspects.size > 0;
  }

  /** Packfiles that were found damaged, by this process or an earlier one. */
  getSuspects(): Mac[] {
    const saved =
      this.#attempt(() =>
        this.#read((database) =>
          database.prepare("SELECT packfile, checksum FROM suspect").all().map((row) => {
            const packfile = bytesOf(row, "packfile");
            if (!macsEqual(this.#headerMac(packfile, SUSPECT), bytesOf(row, "checksum"))) {
              throw new DamagedCacheError("the checksum of a suspect is wrong");
            }
            return packfile;
          })
        )
      ) ?? [];
    return [...saved, ...this.#newSuspects.values()];
  }

  /** Keeps in mind, from the next {@linkcode save} on, that a packfile was found damaged. */
  putSuspect(packfile: Mac): void {
    if (this.#enabled) this.#newSuspects.set(macToHex(packfile), packfile);
  }

  #writeSuspects(database: DatabaseSync): void {
    const insert = database.prepare("INSERT OR REPLACE INTO suspect VALUES (?, ?)");
    for (const packfile of this.#newSuspects.values()) {
      insert.run(packfile, this.#headerMac(packfile, SUSPECT));
    }
  }

  /** Keeps the bytes of a snapshot's header for the next {@linkcode save}. */
  putHeader(id: Mac, bytes: Uint8Array): void {
    if (this.#enabled) this.#newHeaders.set(macToHex(id), { id, bytes });
  }

  #writeHeaders(database: DatabaseSync): void {
    const insert = database.prepare("INSERT OR REPLACE INTO header VALUES (?, ?, ?)");
    for (const { id, bytes } of this.#newHeaders.values()) {
      insert.run(id, bytes, this.#headerMac(id, bytes));
    }
  }

  #headerMac(id: Mac, bytes: Uint8Array): Mac {
    const both = new Uint8Array(id.length + bytes.length);
    both.set(id);
    both.set(bytes, id.length);
    return this.#options.mac(both);
  }

  /** Forgets everything that is saved. A {@linkcode save} afterwards starts anew. */
  invalidate(): void {
    this.#attempt(() => {
      this.#forget();
      if (this.#database === undefined && !existsSync(this.#path)) return;
      const database = this.#connect();
      // Emptied, not removed: other processes may have it open.
      transaction(database, "IMMEDIATE", () => {
        if (readVersion(database) === 0) return;
        database.exec(
          "DELETE FROM head; DELETE FROM page; DELETE FROM header; DELETE FROM suspect",
        );
      });
    });
  }

  /**
   * Opens the file now, and creates it where it is missing: later saves need no right to open or to
   * create one, which the process may have given up by then.
   */
  hold(): void {
    this.#attempt(() => void (existsSync(this.#path) ? this.#connect() : this.#create()));
  }

  /** Closes the file. Headers and suspects that were not saved are lost. */
  close(): void {
    this.#enabled = false;
    this.#disconnect();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** What an action reads in one view of the file; undefined when there is no file to read. */
  #read<T>(action: (database: DatabaseSync) => T): T | undefined {
    if (this.#database === undefined && !existsSync(this.#path)) return undefined;
    const database = this.#connect();
    return transaction(database, "DEFERRED", () => {
      return readVersion(database) === 0 ? undefined : action(database);
    });
  }

  /** The database, created where it is missing; it may still be empty. */
  #create(): DatabaseSync {
    if (this.#database === undefined) {
      Deno.mkdirSync(this.#options.directory, { recursive: true, mode: 0o700 });
      // SQLite would create it for everybody to read; an empty file is an empty database.
      Deno.openSync(this.#path, { write: true, create: true, mode: 0o600 }).close();
    }
    return this.#connect();
  }

  #connect(): DatabaseSync {
    if (this.#database !== undefined) return this.#database;
    const database = new DatabaseSync(this.#path);
    this.#database = database;
    database.exec(`
      PRAGMA busy_timeout = ${this.#options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS};
      PRAGMA page_size = ${DATABASE_PAGE_BYTES};
      PRAGMA synchronous = NORMAL;
      PRAGMA cell_size_check = ON;
    `);
    const pageBytes = numberOf(database.prepare("PRAGMA page_size").get(), "page_size");
    const maximum = this.#options.maximumBytes ?? DEFAULT_MAXIMUM_BYTES;
    database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maximum / pageBytes))}`);
    return database;
  }

  #disconnect(): void {
    const database = this.#database;
    this.#database = undefined;
    try {
      database?.close();
    } catch {
      // There is nothing left to lose: every transaction has ended before.
    }
  }

  #forget(): void {
    this.#generation = undefined;
    this.#index = undefined;
    this.#pageMacs = [];
    this.#content = undefined;
    this.#newHeaders.clear();
    this.#newSuspects.clear();
  }

  #remove(): void {
    this.#disconnect();
    this.#forget();
    // A journal that is left behind would be applied to the next file of that name.
    for (const path of [this.#path, `${this.#path}-journal`]) {
      if (existsSync(path)) Deno.removeSync(path);
    }
  }

  #attempt<T>(action: () => T): T | undefined {
    if (!this.#enabled) return undefined;
    try {
      return action();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    const reason = messageOf(error);
    if (isDamage(error)) {
      try {
        this.#remove();
        this.#warn(`The index cache "${this.#path}" was damaged and is removed: ${reason}`);
        return;
      } catch {
        // It cannot be removed either; the first reason is the one to report.
      }
    }
    this.#warn(`Cannot use the index cache "${this.#path}": ${reason}`);
    this.close();
  }

  #warn(message: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.onWarning?.(message);
  }
}

/** The columns of the head that its checksum covers. */
interface HeadContent extends BlobIndexSummary {
  readonly repository: string;
  readonly extra: string;
  /** Ids of the merged states, one after the other. */
  readonly states: Uint8Array;
  /** Checksums of the pages, one after the other. */
  readonly pages: Uint8Array;
}

interface Head extends HeadContent {
  /** Differs after every save. */
  readonly generation: number;
  readonly checksum: Uint8Array;
}

function readHead(row: unknown): Head {
  return {
    generation: numberOf(row, "generation"),
    repository: textOf(row, "repository"),
    extra: textOf(row, "extra"),
    states: bytesOf(row, "states"),
    packfiles: bytesOf(row, "packfiles"),
    colours: bytesOf(row, "colours"),
    snapshots: bytesOf(row, "snapshots"),
    pages: bytesOf(row, "pages"),
    checksum: bytesOf(row, "checksum"),
  };
}

function writeHead(database: DatabaseSync, head: Head): void {
  database.prepare("INSERT OR REPLACE INTO head VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?)").run(
    head.generation,
    head.repository,
    head.extra,
    head.states,
    head.packfiles,
    head.colours,
    head.snapshots,
    head.pages,
    head.checksum,
  );
}

function writePages(
  database: DatabaseSync,
  index: BlobIndex,
  pageCount: number,
  changed: readonly number[],
): void {
  const insert = database.prepare("INSERT OR REPLACE INTO page VALUES (?, ?)");
  for (const page of changed) insert.run(page, index.pageBytes(page));
  database.prepare("DELETE FROM page WHERE number >= ?").run(pageCount);
}

function removeHeadersExcept(database: DatabaseSync, ids: readonly Mac[]): void {
  const kept = new Set(ids.map(macToHex));
  const remove = database.prepare("DELETE FROM header WHERE id = ?");
  for (const row of database.prepare("SELECT id FROM header").all()) {
    const id = bytesOf(row, "id");
    if (!kept.has(macToHex(id))) remove.run(id);
  }
}

/**
 * The version of the layout; 0 for an empty file.
 *
 * @throws {UnusableCacheError} If the version is newer than this program.
 * @throws {DamagedCacheError} If there never was such a version.
 */
function readVersion(database: DatabaseSync): number {
  const version = numberOf(database.prepare("PRAGMA user_version").get(), "user_version");
  if (version > CACHE_VERSION) {
    throw new UnusableCacheError(`its version is ${version}, newer than ${CACHE_VERSION}`);
  }
  if (version < 0) throw new DamagedCacheError(`its version is ${version}`);
  return version;
}

/** Which save the file holds; undefined when it holds none. */
function readGeneration(database: DatabaseSync): number | undefined {
  const row = database.prepare("SELECT generation FROM head").get();
  return row === undefined ? undefined : numberOf(row, "generation");
}

/** Runs an action as one transaction, undone when it throws. */
function transaction<T>(
  database: DatabaseSync,
  kind: "DEFERRED" | "IMMEDIATE",
  action: () => T,
): T {
  database.exec(`BEGIN ${kind}`);
  try {
    // Takes the lock and reads the schema here, because a statement that cannot be prepared for
    // want of them gives no reason in Deno 2.4.
    database.exec("SELECT 1 FROM sqlite_schema");
    const result = action();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    try {
      database.exec("ROLLBACK");
    } catch {
      // The error that led here may have ended the transaction already.
    }
    throw error;
  }
}

function column(row: unknown, name: string): unknown {
  if (typeof row !== "object" || row === null) throw new DamagedCacheError("a row is missing");
  return Reflect.get(row, name);
}

function bytesOf(row: unknown, name: string): Uint8Array {
  const value = column(row, name);
  if (!(value instanceof Uint8Array)) throw new DamagedCacheError(`"${name}" is not a blob`);
  return value;
}

function textOf(row: unknown, name: string): string {
  const value = column(row, name);
  if (typeof value !== "string") throw new DamagedCacheError(`"${name}" is not a text`);
  return value;
}

function numberOf(row: unknown, name: string): number {
  const value = column(row, name);
  if (typeof value !== "number") throw new DamagedCacheError(`"${name}" is not a number`);
  return value;
}

// The binding gives SQLite's messages, not its codes. These are of codes that say nothing about
// the file: busy, full, read-only, cannot open, I/O error, no memory; and of missing permissions.
const ENVIRONMENT_MESSAGE =
  /locked|is full|readonly|unable to open|disk I\/O|out of memory|Requires \w+ access/;

/**
 * Whether an error means that the file is not what was saved. What SQLite says about a damaged
 * file has no end of forms, so everything counts that is not known to be of another kind.
 */
function isDamage(error: unknown): boolean {
  if (error instanceof DamagedCacheError || error instanceof RangeError) return true;
  return error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR" &&
    !ENVIRONMENT_MESSAGE.test(error.message);
}

function split(bytes: Uint8Array): Mac[] {
  const macs: Mac[] = [];
  for (let start = 0; start < bytes.length; start += MAC_BYTES) {
    macs.push(bytes.subarray(start, start + MAC_BYTES));
  }
  return macs;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    bytes.set(part, start);
    start += part.length;
  }
  return bytes;
}
