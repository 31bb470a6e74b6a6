import { createHash } from "node:crypto";
import { createTarPacker, type TarHeader, type TarPackController } from "modern-tar";
import { beginSession } from "./encryption/mod.ts";
import { ArchiveOutput } from "./archive_output.ts";
import { attempt, TemporaryFile } from "./io/mod.ts";
import { DamagedArchiveError, InvalidSourceError } from "./errors.ts";
import { BACKUP_DIRECTORY, METADATA_NAME } from "./layout.ts";
import { type BackupMetadata, encodeMetadata } from "./metadata.ts";
import {
  type ArchiveSource,
  attributesOf,
  planEntries,
  type PlannedDirectory,
  type PlannedFile,
  type SourceAttributes,
  withSource,
} from "./tar/mod.ts";
import { type ArchiveContents, type ArchiveFile, verifyGzip } from "./verify.ts";

/** What {@linkcode writeArchive} writes. */
export interface WriteArchiveOptions {
  /** Where the archive will be; nothing has this name yet, and its directory exists. */
  readonly path: string;
  /** Everything but what is found out while writing. */
  readonly metadata: Omit<BackupMetadata, "checksums" | "encrypted">;
  /** The files, in any order. Streams are read, or cancelled, in any case. */
  readonly sources: readonly ArchiveSource[];
  /** Public key: the archive is encrypted for its holder, and is never on the disk otherwise. */
  readonly recipient?: CryptoKey | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Told the bytes of the sources packed so far, then the unpacked bytes verified so far.
   */
  readonly onProgress?: ((phase: "write" | "verify", bytes: number) => void) | undefined;
}

/** An archive that has been written. */
export interface WrittenArchive extends ArchiveContents {
  readonly path: string;
  /** Size of the file. */
  readonly archiveBytes: number;
}

/**
 * Writes an archive in the layout of the Go tool.
 *
 * It has a temporary name in its directory until it is complete, on the disk, and has been read
 * again and verified; on any failure, and when the signal aborts, that file is removed. It is for
 * its owner alone (0600): it holds whole databases.
 *
 * The entries come in the order of a sorted walk, but for `backup_information.json`, which is last
 * instead of first: it holds the checksums of all others, and these are known when their bytes have
 * passed. To have it first, everything would have to be read twice, and streams to lie on the disk.
 * Readers extract everything before they look at it, so its place does not matter to them.
 *
 * @throws {AlreadyExistsError} when the name is taken
 * @throws {InvalidSourceError} when a source cannot be archived, or changes meanwhile
 * @throws {ArchiveIoError} when a file cannot be read or written, such as on a full disk
 * @throws {DamagedArchiveError} when what is read again is not what was written
 * @throws what a stream fails with, or the signal is aborted with
 */
export async function writeArchive(options: WriteArchiveOptions): Promise<WrittenArchive> {
  const { path, sources, signal } = options;
  const what = `Cannot write archive "${path}"`;
  try {
    signal?.throwIfAborted();
    const entries = await planEntries(sources);
    if (!entries.some(({ kind }) => kind === "file")) {
      throw new InvalidSourceError(`${what}: there are no files to archive`);
    }
    await using file = await TemporaryFile.create(path, what, 0o600);
    const session = options.recipient && await beginSession(options.recipient);
    const output = new ArchiveOutput(file, session);
    const written = await pack(entries, output, options);
    await output.finish();
    const archiveBytes = (await attempt(what, Deno.stat(file.path))).size;
    const contents = await verifyGzip(path, await output.readAgain(), {
      signal,
      onProgress: (bytes) => options.onProgress?.("verify", bytes),
    });
    requireSame(path, written, contents);
    signal?.throwIfAborted();
    await file.publish();
    return { path, archiveBytes, ...contents };
  } finally {
    for (const source of sources) {
      // Those that were read are closed; of the others nobody will ask why.
      if ("content" in source && !source.content.locked) {
        await source.content.cancel().catch(() => {});
      }
    }
  }
}

/** Names and checksums of the files written. */
type Written = ReadonlyMap<string, string>;

/** Packs all entries into the output, which compresses and writes at the same time. */
async function pack(
  entries: readonly (PlannedFile | PlannedDirectory)[],
  output: ArchiveOutput,
  options: WriteArchiveOptions,
): Promise<Written> {
  const failing = new AbortController();
  const signal = AbortSignal.any([failing.signal, ...options.signal ? [options.signal] : []]);
  const { readable, controller } = createTarPacker();
  // When writing fails, sources that are waited for are let go.
  const consumed = output.consume(readable, signal).catch((error) => {
    failing.abort(error);
    throw error;
  });
  consumed.catch(() => {}); // met below; packing may fail first
  try {
    const packer = new EntryPacker(controller, signal, options);
    const written = await packer.addAll(entries);
    controller.finalize();
    await consumed;
    return written;
  } catch (error) {
    controller.error(error);
    failing.abort(error);
    await consumed.catch(() => {}); // the same error, or one that followed from it
    throw signal.reason;
  }
}

/** Adds entries to a tar, and counts and hashes what passes. */
class EntryPacker {
  readonly #controller: TarPackController;
  readonly #signal: AbortSignal;
  readonly #options: WriteArchiveOptions;
  readonly #checksums = new Map<string, string>();
  #bytes = 0;

  constructor(
    controller: TarPackController,
    signal: AbortSignal,
    options: WriteArchiveOptions,
  ) {
    this.#controller = controller;
    this.#signal = signal;
    this.#options = options;
  }

  async addAll(entries: readonly (PlannedFile | PlannedDirectory)[]): Promise<Written> {
    await this.#addDirectory(BACKUP_DIRECTORY, {});
    for (const entry of entries) {
      if (entry.kind === "directory") {
        const { path } = entry;
        const info = path === undefined
          ? undefined
          : await attempt(`Cannot read "${path}"`, Deno.stat(path));
        await this.#addDirectory(
          `${BACKUP_DIRECTORY}/${entry.name}`,
          info === undefined ? {} : attributesOf(info),
        );
      } else {
        await withSource(entry.source, this.#signal, async ({ size, attributes, content }) => {
          const sum = await this.#addFile(entry.name, size, attributes, content);
          this.#checksums.set(entry.name, sum);
        });
      }
    }
    await this.#addMetadata();
    return this.#checksums;
  }

  async #addMetadata(): Promise<void> {
    const bytes = new Uint8Array(encodeMetadata({
      ...this.#options.metadata,
      checksums: new Map(this.#checksums),
      encrypted: this.#options.recipient !== undefined,
    }));
    const sum = await this.#addFile(METADATA_NAME, bytes.length, {}, [bytes]);
    this.#checksums.set(METADATA_NAME, sum);
  }

  async #addDirectory(name: string, attributes: SourceAttributes): Promise<void> {
    const header = headerOf(name, "directory", 0, { mode: 0o755, ...attributes });
    await this.#controller.add(header).close();
  }

  async #addFile(
    name: string,
    size: number,
    attributes: SourceAttributes,
    content: AsyncIterable<Uint8Array<ArrayBuffer>> | Iterable<Uint8Array<ArrayBuffer>>,
  ): Promise<string> {
    const hash = createHash("sha256");
    const header = headerOf(`${BACKUP_DIRECTORY}/${name}`, "file", size, {
      mode: 0o644,
      ...attributes,
    });
    const writer = this.#controller.add(header).getWriter();
    for await (const chunk of content) {
      hash.update(chunk);
      await writer.write(chunk);
      this.#bytes += chunk.length;
      this.#options.onProgress?.("write", this.#bytes);
    }
    await writer.close();
    return hash.digest("hex");
  }
}

/** Directories have no slash at the end, as the Go tool writes them; their type tells. */
function headerOf(
  name: string,
  type: "file" | "directory",
  size: number,
  { mode = 0, mtime = new Date(), uid = 0, gid = 0 }: SourceAttributes,
): TarHeader {
  return {
    name,
    type,
    size,
    mode,
    mtime: new Date(Math.max(0, mtime.getTime())), // the field has no sign
    uid,
    gid,
  };
}

function requireSame(path: string, written: Written, { files }: ArchiveContents): void {
  const same = (file: ArchiveFile) => written.get(file.name) === file.sha256;
  if (files.length !== written.size || !files.every(same)) {
    throw new DamagedArchiveError(`archive "${path}" does not read back as it was written`);
  }
}
