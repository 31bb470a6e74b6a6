import type { Engine } from "../engine.ts";
import { CorruptionError } from "../errors.ts";
import {
  dateFromNs,
  decodeErrorEntry,
  decodeVfsEntry,
  entryPath,
  type FileType,
  fileTypeOf,
  type Header,
  type HeaderSource,
  isNilMac,
  type Mac,
  permissionsOf,
  ResourceType,
  type VfsEntry,
} from "../format/mod.ts";
import { type CheckOptions, checkSnapshot, type Damage } from "./check.ts";
import { copyContent } from "./content_reader.ts";
import { contentOptions, readObject } from "./object_reader.ts";
import { type SnapshotHeader, snapshotHeaderOf } from "./snapshot_header.ts";
import { asCorruption, ERROR_TREE, TreeReader, VFS_TREE } from "./tree_reader.ts";

/** A file, directory, symbolic link or other entry of a snapshot. */
export interface Entry {
  /** Absolute and clean. */
  readonly path: string;
  readonly type: FileType;
  /** Bytes; of regular files. */
  readonly size: number;
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  readonly mtime: Date;
  readonly uid: number;
  readonly gid: number;
  /** Of symbolic links. */
  readonly linkTarget?: string;
}

/** Options of everything that can take long. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
}

/** Something that the snapshot's writer could not read. */
export interface RecordedError {
  readonly path: string;
  readonly error: string;
}

/** A snapshot that exists. Everything that is read from it is authenticated. */
export class SnapshotReader {
  readonly header: SnapshotHeader;
  readonly #engine: Engine;
  readonly #fullHeader: Header;
  readonly #source: HeaderSource;

  constructor(engine: Engine, header: Header) {
    this.header = snapshotHeaderOf(header);
    this.#engine = engine;
    this.#fullHeader = header;
    const source = header.sources[0];
    if (source === undefined) throw this.#corruption("/", "its header names no source");
    this.#source = source;
  }

  /**
   * All entries in path order: by depth, then by name.
   *
   * @throws {CorruptionError} the tree is damaged
   */
  async *entries(): AsyncGenerator<Entry> {
    const items = this.#vfs.items();
    while (true) {
      const entry = await this.#located("/", async () => {
        const next = await items.next();
        return next.done ? undefined : entryOf(await this.#readVfsEntry(next.value.value));
      });
      if (entry === undefined) return;
      yield entry;
    }
  }

  /**
   * The entry at a path; undefined where there is none. Symbolic links are not followed.
   *
   * @throws {CorruptionError} the tree is damaged
   */
  async stat(path: string): Promise<Entry | undefined> {
    const entry = await this.#located(path, () => this.#find(path));
    return entry === undefined ? undefined : entryOf(entry);
  }

  /**
   * What the snapshot's writer could not read: such a snapshot is not a whole backup.
   *
   * @throws {CorruptionError} the tree is damaged
   */
  errors(): Promise<RecordedError[]> {
    return this.#located("/", () => this.#readErrors());
  }

  async #readErrors(): Promise<RecordedError[]> {
    const tree = new TreeReader(this.#engine.blobs, this.#source.errors, ERROR_TREE);
    const errors: RecordedError[] = [];
    for await (const { value } of tree.items()) {
      const bytes = await this.#engine.blobs.read(ResourceType.ERROR_ENTRY, value);
      const { name, error } = await asCorruption(() => decodeErrorEntry(bytes));
      errors.push({ path: name, error });
    }
    return errors;
  }

  /**
   * A file's content as a stream, verified as {@linkcode copy} says; the stream fails where the
   * content is damaged.
   */
  read(path: string, options: ReadOptions = {}): ReadableStream<Uint8Array> {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    // Copies: the consumer may keep what it gets.
    this.copy(path, (bytes) => writer.write(bytes.slice()), options).then(
      () => writer.close(),
      (error) => writer.abort(error),
    ).catch(() => {
      // The consumer has cancelled the stream; there is nobody left to tell.
    });
    return readable;
  }

  /**
   * Hands a file's content to `write`, piece by piece. No byte reaches `write` before its chunk was
   * authenticated; the whole is authenticated at the end.
   *
   * @param write gets a view that is valid until its promise resolves
   * @returns the content's length in bytes
   * @throws {CorruptionError} the content is damaged; what was written so far is sound, but not all
   * @throws {TypeError} there is no regular file at the path
   */
  copy(
    path: string,
    write: (bytes: Uint8Array) => Promise<void>,
    options: ReadOptions = {},
  ): Promise<number> {
    return this.#located(path, () => this.#copy(path, write, options));
  }

  async #copy(
    path: string,
    write: (bytes: Uint8Array) => Promise<void>,
    { signal }: ReadOptions,
  ): Promise<number> {
    const entry = await this.#find(path);
    if (entry === undefined) {
      throw new TypeError(`Cannot read "${path}": snapshot ${this.#shortId} has no such entry`);
    }
    if (fileTypeOf(entry.fileInfo.mode) !== "file") {
      throw new TypeError(
        `Cannot read "${path}" of snapshot ${this.#shortId}: it is not a regular file`,
      );
    }
    const length = await this.#copyObject(path, entry, write, signal);
    if (length !== entry.fileInfo.size) {
      throw this.#corruption(path, `it has ${length} bytes instead of ${entry.fileInfo.size}`);
    }
    return length;
  }

  /** Verifies the snapshot; an empty list means that it is sound. */
  check(options: CheckOptions = {}): Promise<Damage[]> {
    return checkSnapshot(this.#engine, this.#fullHeader, options);
  }

  get #shortId(): string {
    return this.header.identifier.slice(0, 16);
  }

  get #vfs(): TreeReader {
    return new TreeReader(this.#engine.blobs, this.#source.root, VFS_TREE);
  }

  async #find(path: string): Promise<VfsEntry | undefined> {
    const value = await this.#vfs.get(path);
    return value === undefined ? undefined : await this.#readVfsEntry(value);
  }

  async #readVfsEntry(mac: Mac): Promise<VfsEntry> {
    const bytes = await this.#engine.blobs.read(ResourceType.VFS_ENTRY, mac);
    return await asCorruption(() => decodeVfsEntry(bytes));
  }

  async #copyObject(
    path: string,
    entry: VfsEntry,
    write: (bytes: Uint8Array) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    if (isNilMac(entry.object)) return 0;
    const object = await readObject(this.#engine.blobs, entry.object);
    return await copyContent(object, {
      ...contentOptions(this.#engine, signal),
      snapshot: this.header.identifier,
      path,
    }, write);
  }

  /** Runs an action; damage that it meets says which snapshot and path it is about. */
  async #located<T>(path: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof CorruptionError) || error.context.snapshot !== undefined) throw error;
      throw this.#corruption(path, error.message, error);
    }
  }

  #corruption(path: string, problem: string, cause?: CorruptionError): CorruptionError {
    return new CorruptionError(
      `Snapshot ${this.#shortId}, "${path}" is damaged: ${problem}`,
      { snapshot: this.header.identifier, path, ...cause?.context },
      { cause },
    );
  }
}

function entryOf(entry: VfsEntry): Entry {
  const { fileInfo, symlinkTarget } = entry;
  return {
    path: entryPath(entry),
    type: fileTypeOf(fileInfo.mode),
    size: fileInfo.size,
    mode: permissionsOf(fileInfo.mode),
    mtime: dateFromNs(fileInfo.modTimeNs),
    uid: Number(fileInfo.uid),
    gid: Number(fileInfo.gid),
    ...(symlinkTarget !== "" && { linkTarget: symlinkTarget }),
  };
}
