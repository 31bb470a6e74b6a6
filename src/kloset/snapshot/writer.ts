import { messageOf } from "../../errors/mod.ts";
import type { FastCdcParameters } from "../../kernels/mod.ts";
import type { Engine } from "../engine.ts";
import {
  baseName,
  encodeHeader,
  encodeObject,
  fileMode,
  type FileType,
  type Header,
  type KeyValue,
  type Mac,
  macToHex,
  newFileInfo,
  NIL_UUID,
  nsFromDate,
  ResourceType,
  VERSION_1_0_0,
} from "../format/mod.ts";
import type { BlobIndex } from "../index/mod.ts";
import { doubtGaps, Packer, type PackfileWriter } from "../packfile/mod.ts";
import { SharedLock, StateCommit } from "../state/mod.ts";
import { chunkingOf } from "./chunking.ts";
import { contentTypeByName } from "./content_type.ts";
import { writeContent, type WrittenContent } from "./content_writer.ts";
import { EntrySet } from "./entry_set.ts";
import { type SnapshotHeader, snapshotHeaderOf } from "./snapshot_header.ts";
import { writeTree } from "./tree_writer.ts";

const NS_PER_MS = 1_000_000n;

/** Age from which a temporary file counts as left behind: no writer pauses for so long. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/** What a new snapshot is called and made from. */
export interface SnapshotOptions {
  readonly name: string;
  readonly tags?: readonly string[];
  /** Kind and place of what is backed up; `directory` must exist in the snapshot, `/` always does. */
  readonly importer: { readonly type: string; readonly origin: string; readonly directory: string };
  /**
   * Facts about the program and the host, for those who look at the snapshot.
   *
   * @default host name, operating system, architecture and number of processors
   */
  readonly context?: readonly KeyValue[];
  /** Ends the writing; the snapshot must still be aborted. */
  readonly signal?: AbortSignal;
  /** Called with the numbers so far, for each chunk. */
  readonly onProgress?: (statistics: SnapshotStatistics) => void;
}

/** What a snapshot took and gave, so far. */
export interface SnapshotStatistics {
  /** Plain bytes of the files. */
  readonly bytesRead: number;
  /** Those of them that the repository did not have. */
  readonly bytesNew: number;
  /** Bytes added to the store: exact once the snapshot is committed. */
  readonly bytesStored: number;
  readonly chunks: number;
  readonly chunksNew: number;
}

/** What a file system says about an entry. */
export interface EntryAttributes {
  /**
   * Permission bits, 0 to 0o777.
   *
   * @default 0o644 for files, 0o755 for directories, 0o777 for symbolic links
   */
  readonly mode?: number;
  /** @default the start of the snapshot */
  readonly mtime?: Date;
  /** @default 0 */
  readonly uid?: number;
  /** @default 0 */
  readonly gid?: number;
}

const DEFAULT_PERMISSIONS = { file: 0o644, directory: 0o755, symlink: 0o777 } as const;

/**
 * A snapshot being written. It exists once {@linkcode commit} has resolved, and not before: a
 * writer that is aborted, or killed, leaves nothing that a reader sees.
 *
 * Files are added one after the other. Whoever does not reach a successful commit must call
 * {@linkcode abort}, which gives the lock back.
 */
export class SnapshotWriter {
  /** 64 hex digits. */
  readonly id: string;
  readonly #idBytes: Mac;
  readonly #engine: Engine;
  readonly #options: SnapshotOptions;
  readonly #lock: SharedLock;
  readonly #packer: Packer;
  readonly #state: StateCommit;
  readonly #chunking: FastCdcParameters;
  readonly #startMs: number;
  readonly #entries = new EntrySet();
  readonly #aborted = new AbortController();
  readonly #signal: AbortSignal;
  #statistics: SnapshotStatistics = {
    bytesRead: 0,
    bytesNew: 0,
    bytesStored: 0,
    chunks: 0,
    chunksNew: 0,
  };
  #packfileBytes = 0;
  /** The call that is under way: there is one at a time. */
  #current: Promise<unknown> | undefined;
  #phase: "open" | "failed" | "committed" | "aborted" = "open";

  private constructor(
    engine: Engine,
    options: SnapshotOptions,
    id: Mac,
    lock: SharedLock,
    index: BlobIndex,
    chunking: FastCdcParameters,
  ) {
    this.id = macToHex(id);
    this.#idBytes = id;
    this.#engine = engine;
    this.#options = options;
    this.#lock = lock;
    this.#startMs = engine.now();
    this.#signal = AbortSignal.any([
      ...(options.signal === undefined ? [] : [options.signal]),
      this.#aborted.signal,
      lock.signal,
    ]);
    this.#chunking = chunking;
    this.#state = new StateCommit(id, this.#startNs, engine);
    this.#packer = new Packer({
      store: engine.store,
      pool: engine.pool,
      codec: engine.codec,
      mac: engine.mac,
      index,
      maximumPackfileBytes: Number(engine.configuration.packfile.maxSize),
      timestampNs: this.#startNs,
      onPackfile: (packfile) => this.#record(packfile),
    });
  }

  /**
   * Takes the shared lock and brings the index up to date, in this order.
   *
   * @throws {UnsupportedVersionError} CONFIG asks for chunks that this engine cannot cut
   * @throws {LockedError} somebody holds an exclusive lock
   * @throws {CorruptionError} a state is damaged, so that nobody knows what can be relied on
   */
  static async start(engine: Engine, options: SnapshotOptions): Promise<SnapshotWriter> {
    const chunking = chunkingOf(engine);
    options.signal?.throwIfAborted();
    engine.pool.warmUp();
    const id = crypto.getRandomValues(new Uint8Array(32));
    const lock = await SharedLock.acquire(id, engine);
    try {
      const index = await engine.catalog.refreshForWriting();
      await doubtGaps({ ...engine, index, suspects: engine.catalog.suspects });
      // Beside other writers a file may only look abandoned: theirs can wait for a slow stream.
      if (lock.isAlone) await removeAbandoned(engine);
      return new SnapshotWriter(engine, options, id, lock, index, chunking);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** The numbers so far. */
  get statistics(): SnapshotStatistics {
    return this.#statistics;
  }

  /**
   * Stores a regular file; its size is the number of bytes that the stream gives.
   *
   * @param path absolute and clean, such as `/neo4j.dump`
   * @returns the file's length in bytes
   * @throws {TypeError} the path cannot be added, or another call is under way
   * @throws {LockedError} the lock was lost: see {@linkcode SharedLock}
   * @throws whatever the stream or the store fails with; the snapshot can only be aborted then
   */
  async addFile(
    path: string,
    content: ReadableStream<Uint8Array>,
    attributes: EntryAttributes = {},
  ): Promise<{ bytes: number }> {
    try {
      return await this.#addFile(path, content, attributes);
    } catch (error) {
      // A stream that was refused has nobody else to end it.
      content.cancel(error).catch(() => {
        // It was being read, and has been cancelled then.
      });
      throw error;
    }
  }

  #addFile(
    path: string,
    content: ReadableStream<Uint8Array>,
    attributes: EntryAttributes,
  ): Promise<{ bytes: number }> {
    return this.#exclusively(async () => {
      this.#entries.assertFree(path, "file");
      const written = await this.#storeContent(content, true);
      const contentType = contentTypeByName(path);
      const object = {
        id: await this.#putObject(written, contentType),
        length: written.length,
        chunks: written.chunks.length,
        entropy: written.entropy,
        contentType,
      };
      this.#entries.add({
        path,
        info: this.#fileInfo(path, "file", attributes, written.length),
        object,
      });
      return { bytes: written.length };
    });
  }

  /**
   * Adds a directory. Directories that are not added but needed get default attributes.
   *
   * @throws {TypeError} the path cannot be added
   */
  addDirectory(path: string, attributes: EntryAttributes = {}): void {
    this.#assertOpen();
    if (path !== "/") this.#entries.assertFree(path, "directory");
    this.#entries.add({ path, info: this.#fileInfo(path, "directory", attributes, 0) });
  }

  /**
   * Adds a symbolic link.
   *
   * @throws {TypeError} the path cannot be added, or the target is empty
   */
  addSymlink(path: string, target: string, attributes: EntryAttributes = {}): void {
    this.#assertOpen();
    this.#entries.assertFree(path, "symlink");
    if (target === "") throw new TypeError(`Cannot add "${path}": the link has no target`);
    this.#entries.add({
      path,
      info: this.#fileInfo(path, "symlink", attributes, 0),
      linkTarget: target,
    });
  }

  /**
   * Makes the snapshot exist: structures, packfiles, and last the state that names them. It is
   * durable when this resolves.
   *
   * @throws whatever the store fails with; the snapshot can only be aborted then
   */
  commit(): Promise<SnapshotHeader> {
    return this.#exclusively(async () => {
      const header = await this.#seal();
      const { bytes } = await this.#state.put(
        this.#lock,
        this.#signal,
        this.#packer.relied,
      );
      this.#phase = "committed";
      this.#statistics = { ...this.#statistics, bytesStored: this.#packfileBytes + bytes };
      await this.#lock.release();
      return snapshotHeaderOf(header);
    });
  }

  /** Gives the snapshot up: temporary files and the lock go. Idempotent; never throws. */
  async abort(): Promise<void> {
    if (this.#phase === "committed" || this.#phase === "aborted") return;
    this.#phase = "aborted";
    this.#aborted.abort(new DOMException("The snapshot was aborted", "AbortError"));
    await this.#current?.catch(() => {
      // Thrown to whoever made that call.
    });
    await this.#packer.abort();
    await this.#lock.release();
  }

  get #startNs(): bigint {
    return BigInt(this.#startMs) * NS_PER_MS;
  }

  /** Writes everything but the state. */
  async #seal(): Promise<Header> {
    const engine = this.#engine;
    const tree = await writeTree(this.#entries.byPath, {
      packer: this.#packer,
      mac: engine.mac.of,
      flavour: this.#state.flavour,
      storeContent: async (bytes) =>
        await this.#putObject(await this.#storeContent(bytes, false), "application/octet-stream"),
    });
    const header = this.#header(tree);
    await this.#packer.putNamed(ResourceType.SNAPSHOT, this.#idBytes, encodeHeader(header));
    await this.#packer.finish();
    return header;
  }

  #header(tree: Awaited<ReturnType<typeof writeTree>>): Header {
    const { name, tags, importer, context } = this.#options;
    const unset = this.#state.flavour === "1.0" ? "default" : "";
    return {
      version: VERSION_1_0_0,
      identifier: this.#idBytes,
      timestampNs: this.#startNs,
      durationNs: BigInt(Math.max(0, this.#engine.now() - this.#startMs)) * NS_PER_MS,
      identity: { identifier: NIL_UUID, publicKey: undefined },
      name,
      category: unset,
      environment: unset,
      perimeter: unset,
      job: unset,
      replicas: 1,
      dataset: "",
      dataClasses: [],
      classifications: [],
      tags: tags ?? [],
      context: context ?? defaultContext(this.#engine.hostname),
      sources: [{ importer, context: [], ...tree }],
    };
  }

  #storeContent(content: ReadableStream<Uint8Array>, isFile: boolean): Promise<WrittenContent> {
    const { pool, mac, codec, plainMemory, encodedMemory } = this.#engine;
    return writeContent(content, {
      pool,
      mac: mac.parameters,
      encoding: codec.encoding,
      chunking: this.#chunking,
      plainMemory,
      encodedMemory,
      sink: {
        claim: (mac) => this.#packer.claim(mac),
        append: async (mac, data, length) => {
          const appended = await this.#packer.append(mac, data, length);
          const bytesStored = this.#statistics.bytesStored + length;
          this.#statistics = { ...this.#statistics, bytesStored };
          return appended;
        },
      },
      entropy: isFile,
      signal: this.#signal,
      onChunk: (length, isNew) => {
        if (isFile) this.#count(length, isNew);
      },
    });
  }

  #count(length: number, isNew: boolean): void {
    const { bytesRead, bytesNew, bytesStored, chunks, chunksNew } = this.#statistics;
    this.#statistics = {
      bytesRead: bytesRead + length,
      bytesNew: bytesNew + (isNew ? length : 0),
      bytesStored,
      chunks: chunks + 1,
      chunksNew: chunksNew + (isNew ? 1 : 0),
    };
    this.#options.onProgress?.(this.#statistics);
  }

  #putObject(content: WrittenContent, contentType: string): Promise<Mac> {
    return this.#packer.putStructure(
      ResourceType.OBJECT,
      encodeObject({
        version: VERSION_1_0_0,
        contentMac: content.mac,
        chunks: content.chunks.map(({ mac, length, entropy }) => ({
          version: VERSION_1_0_0,
          contentMac: mac,
          length,
          entropy,
          flags: 0,
        })),
        contentType,
        entropy: content.entropy,
        flags: 0,
      }),
    );
  }

  /** Enters a durable packfile into the state. */
  #record(packfile: PackfileWriter): void {
    this.#state.addPackfile(packfile);
    this.#packfileBytes += packfile.fileLength;
  }

  #fileInfo(
    path: string,
    type: Exclude<FileType, "other">,
    { mode, mtime, uid, gid }: EntryAttributes,
    size: number,
  ) {
    return newFileInfo({
      name: baseName(path),
      size,
      mode: fileMode(type, mode ?? DEFAULT_PERMISSIONS[type]),
      modTimeNs: mtime === undefined ? this.#startNs : nsFromDate(mtime),
      uid: BigInt(uid ?? 0),
      gid: BigInt(gid ?? 0),
    });
  }

  #assertOpen(): void {
    if (this.#phase === "open") return;
    throw new TypeError(`Cannot write to snapshot ${this.id}: it is ${this.#phase}`);
  }

  /** One call at a time; after a failure only {@linkcode abort} is left. */
  async #exclusively<T>(action: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    if (this.#current !== undefined) {
      throw new TypeError(`Cannot write to snapshot ${this.id}: another call is under way`);
    }
    // Between two files nobody looks at the signal.
    this.#lock.signal.throwIfAborted();
    const call = action();
    this.#current = call;
    try {
      return await call;
    } catch (error) {
      if (this.#phase === "open") this.#phase = "failed";
      throw error;
    } finally {
      this.#current = undefined;
    }
  }
}

/** Gives back the room that killed writers have left taken. It can wait if it fails. */
async function removeAbandoned({ store, now, onWarning }: Engine): Promise<void> {
  try {
    await store.removeAbandoned(now() - ABANDONED_MS);
  } catch (error) {
    onWarning(messageOf(error));
  }
}

function defaultContext(hostname: string): KeyValue[] {
  return [
    { key: "Hostname", value: hostname },
    { key: "OperatingSystem", value: Deno.build.os },
    { key: "Architecture", value: Deno.build.arch },
    { key: "NumCPU", value: String(navigator.hardwareConcurrency) },
  ];
}
