import { createHash } from "node:crypto";
import { openGzip } from "./encryption/mod.ts";
import { type ArchiveInput, fileInput } from "./io/mod.ts";
import { scanEntries } from "./tar/mod.ts";
import { ArchiveError, ArchiveLimitError, DamagedArchiveError } from "./errors.ts";
import { extract } from "./extract.ts";
import { TASK_MANAGER_DUMP_NAME } from "./layout.ts";
import type { BackupMetadata } from "./metadata.ts";
import {
  type ArchiveContents,
  type ArchiveFile,
  relativeName,
  verifyArchive,
  type VerifyOptions,
} from "./verify.ts";

/** How an archive is extracted. */
export interface ExtractOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Most bytes to write, such as what is free on the disk.
   *
   * @default {Infinity}
   */
  readonly maxBytes?: number | undefined;
}

/** An archive that has been verified. */
export class Archive {
  /** What messages call it, such as its path. */
  readonly name: string;
  readonly metadata: BackupMetadata;
  /** In the order of the archive, the metadata file among them. */
  readonly files: readonly ArchiveFile[];
  /** Bytes of all files together. */
  readonly totalBytes: number;
  readonly #input: ArchiveInput;
  readonly #options: VerifyOptions;

  /** Use {@linkcode openArchive}. */
  constructor(input: ArchiveInput, contents: ArchiveContents, options: VerifyOptions) {
    this.name = input.name;
    this.metadata = contents.metadata;
    this.files = contents.files;
    this.totalBytes = contents.totalBytes;
    this.#input = input;
    this.#options = options;
  }

  /**
   * Streams one file, in another pass over the archive. Its bytes are checked against what was
   * verified when it was opened: when the archive has changed since, the stream errors at its end
   * at the latest, with a {@linkcode DamagedArchiveError}.
   *
   * @param name path relative to `backup/`, such as `prefect.dump`
   * @throws {ArchiveError} when there is no such file
   */
  streamEntry(
    name: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): ReadableStream<Uint8Array> {
    return ReadableStream.from(this.#contentOf(this.#file(name), options.signal));
  }

  /**
   * Reads several files in one pass over the archive, in its order. Each content has to be read to
   * its end before the next file is asked for, and is checked as in {@linkcode streamEntry}.
   *
   * @param names paths relative to `backup/`
   * @throws {ArchiveError} when there is no such file
   */
  readFiles(
    names: readonly string[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncIterable<{ readonly file: ArchiveFile; readonly content: AsyncIterable<Uint8Array> }> {
    return this.#verifiedFiles(names.map((name) => this.#file(name)), options.signal);
  }

  /**
   * Extracts all files into a directory: `<directory>/backup/…`, as in the archive. It is either
   * extracted completely, verified and on the disk, or the directory is left as it was: the files
   * are written beside it, into `<directory>.<random>.part`, which gets its name at the end.
   *
   * @param directory does not exist, or is empty
   * @throws {ArchiveLimitError} when it would take more than allowed; nothing is written then
   * @throws {DamagedArchiveError} when the archive has changed since it was opened
   * @throws {AlreadyExistsError} when the directory has content
   * @throws {ArchiveIoError} when it cannot be written
   */
  async extractTo(directory: string, options: ExtractOptions = {}): Promise<void> {
    const files = this.files.filter(({ name }) =>
      !(this.#options.excludeTaskManager && name === TASK_MANAGER_DUMP_NAME)
    );
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const { maxBytes = Infinity } = options;
    if (bytes > maxBytes) {
      throw new ArchiveLimitError(
        `archive "${this.name}" takes ${bytes} bytes when extracted, ${maxBytes} are allowed`,
      );
    }
    await extract(this.#verifiedFiles(files, options.signal), directory, options.signal);
  }

  #file(name: string): ArchiveFile {
    const file = this.files.find((candidate) => candidate.name === name);
    if (file === undefined) throw new ArchiveError(`archive "${this.name}" has no file ${name}`);
    return file;
  }

  /** The files with their content, which fails when it is not what was verified. */
  async *#verifiedFiles(
    files: readonly ArchiveFile[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ file: ArchiveFile; content: AsyncIterable<Uint8Array> }> {
    const wanted = new Map(files.map((file) => [file.name, file]));
    for await (const entry of this.#scan(signal)) {
      const file = wanted.get(relativeName(entry) ?? "");
      if (file === undefined || entry.kind !== "file") continue;
      wanted.delete(file.name);
      yield { file, content: this.#checked(file, entry.content) };
      if (wanted.size === 0) return;
    }
    throw this.#changed();
  }

  async *#contentOf(file: ArchiveFile, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    for await (const { content } of this.#verifiedFiles([file], signal)) yield* content;
  }

  async *#scan(signal: AbortSignal | undefined) {
    const gzip = await openGzip(this.#input, this.#options.privateKey, signal);
    yield* scanEntries(this.name, gzip, { ...this.#options, signal, onProgress: undefined });
  }

  async *#checked(
    file: ArchiveFile,
    content: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of content) {
      bytes += chunk.length;
      if (bytes > file.bytes) throw this.#changed();
      hash.update(chunk);
      yield chunk;
    }
    if (bytes !== file.bytes || hash.digest("hex") !== file.sha256) throw this.#changed();
  }

  #changed(): DamagedArchiveError {
    return new DamagedArchiveError(`archive "${this.name}" has changed since it was verified`);
  }
}

/**
 * Opens an archive: reads all of it and verifies it, as {@linkcode verifyArchive}, which tells what
 * is thrown. Nothing stays open.
 *
 * @param source path of the archive, or an input that can be opened more than once
 */
export async function openArchive(
  source: string | ArchiveInput,
  options: VerifyOptions = {},
): Promise<Archive> {
  const input = typeof source === "string" ? fileInput(source) : source;
  return new Archive(input, await verifyArchive(input, options), options);
}
