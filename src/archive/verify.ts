import { createHash } from "node:crypto";
import { openGzip } from "./encryption/mod.ts";
import { type ArchiveInput, fileInput } from "./io/mod.ts";
import { scanEntries, type ScannedEntry, type ScanOptions } from "./tar/mod.ts";
import { DamagedArchiveError } from "./errors.ts";
import type { ArchiveLimits } from "./limits.ts";
import {
  BACKUP_DIRECTORY,
  METADATA_NAME,
  TASK_MANAGER_COMPONENT,
  TASK_MANAGER_DUMP_NAME,
} from "./layout.ts";
import { type BackupMetadata, decodeMetadata } from "./metadata.ts";

/** Largest `backup_information.json` that is read: room for some hundred thousand files. */
const MAX_METADATA_BYTES = 16 * 1024 * 1024;

/** A file of an archive, as it was read. */
export interface ArchiveFile {
  /** Path relative to `backup/`. */
  readonly name: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly mtime: Date;
}

/** What a sound archive holds. */
export interface ArchiveContents {
  readonly metadata: BackupMetadata;
  /** In the order of the archive, the metadata file among them. */
  readonly files: readonly ArchiveFile[];
  /** Bytes of all files together: what extracting them takes. */
  readonly totalBytes: number;
}

/** How an archive is read. */
export interface VerifyOptions extends ArchiveLimits {
  /** Private key, for an encrypted archive and only for one. */
  readonly privateKey?: CryptoKey | undefined;
  /**
   * Leave the task manager's dump aside: it may be damaged, missing or unlisted.
   *
   * @default {false}
   */
  readonly excludeTaskManager?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told the unpacked bytes so far, headers included. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Reads a whole archive and checks everything that can be: gzip, tar, names, metadata, every
 * checksum, and that nothing is missing or unlisted. Writes nothing.
 *
 * @param source path of the archive, or an input that can be opened more than once
 * @throws {DamagedArchiveError} naming every problem
 * @throws {UnsafeArchiveError} for links, devices and paths that escape
 * @throws {ArchiveLimitError} when it is larger than allowed
 * @throws {UnrecognizedFormatError} when it is no archive
 * @throws {KeyMismatchError} when a key is missing or given in vain
 * @throws {DecryptionError} when it is damaged or encrypted for another key
 * @throws {ArchiveIoError} when it cannot be read
 */
export async function verifyArchive(
  source: string | ArchiveInput,
  options: VerifyOptions = {},
): Promise<ArchiveContents> {
  const input = typeof source === "string" ? fileInput(source) : source;
  const gzip = await openGzip(input, options.privateKey, options.signal);
  return await verifyGzip(input.name, gzip, options);
}

/**
 * As {@linkcode verifyArchive}, of bytes that are not encrypted. What macOS adds to an archive that is
 * repacked there, such as `._prefect.dump`, is passed over, unless the metadata lists it.
 */
export async function verifyGzip(
  name: string,
  gzip: ReadableStream<Uint8Array>,
  options: ScanOptions & { readonly excludeTaskManager?: boolean | undefined },
): Promise<ArchiveContents> {
  const files = new Map<string, ArchiveFile>();
  const unexpected: string[] = [];
  let encoded: Uint8Array | undefined;
  let totalBytes = 0;
  for await (const entry of scanEntries(name, gzip, options)) {
    const relative = relativeName(entry);
    if (relative === undefined) {
      if (entry.kind === "file" && isOfMacOs(entry.name)) continue;
      unexpected.push(`unexpected ${entry.kind} in archive: ${entry.name}`);
    } else if (entry.kind === "file") {
      const keep = relative === METADATA_NAME;
      const { bytes, sha256 } = await digest(entry, keep ? MAX_METADATA_BYTES : 0);
      if (keep) encoded = bytes;
      files.set(relative, { name: relative, bytes: entry.size, sha256, mtime: entry.mtime });
      totalBytes += entry.size;
    }
  }
  if (encoded === undefined) {
    throw new DamagedArchiveError(["invalid backup file: missing metadata", ...unexpected]);
  }
  const metadata = decodeMetadata(encoded);
  for (const { name, bytes } of [...files.values()]) {
    if (!isOfMacOs(name) || metadata.checksums.has(name)) continue; // nobody put it into the backup
    files.delete(name);
    totalBytes -= bytes;
  }
  const problems = compare(metadata, files, options.excludeTaskManager ?? false);
  if (problems.length + unexpected.length > 0) {
    throw new DamagedArchiveError([...problems, ...unexpected]);
  }
  return { metadata, files: [...files.values()], totalBytes };
}

/** Path relative to `backup/`, empty for itself; undefined for what lies elsewhere. */
export function relativeName({ name, kind }: ScannedEntry): string | undefined {
  if (name === BACKUP_DIRECTORY && kind === "directory") return "";
  const prefix = `${BACKUP_DIRECTORY}/`;
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}

/** Whether macOS may have put the file into a folder, or its tar into the archive, by itself. */
function isOfMacOs(name: string): boolean {
  const base = name.slice(name.lastIndexOf("/") + 1);
  return base.startsWith("._") || base === ".DS_Store";
}

async function digest(
  entry: ScannedEntry,
  keepBytes: number,
): Promise<{ readonly bytes: Uint8Array; readonly sha256: string }> {
  if (keepBytes > 0 && entry.size > keepBytes) {
    throw new DamagedArchiveError(`failed to parse metadata: it has ${entry.size} bytes`);
  }
  const kept = new Uint8Array(keepBytes > 0 ? entry.size : 0);
  const hash = createHash("sha256");
  let at = 0;
  for await (const chunk of entry.content) {
    hash.update(chunk);
    if (keepBytes > 0) kept.set(chunk, at);
    at += chunk.length;
  }
  return { bytes: kept, sha256: hash.digest("hex") };
}

/** What metadata and files do not agree on, the Go tool's words where it has some. */
function compare(
  metadata: BackupMetadata,
  files: ReadonlyMap<string, ArchiveFile>,
  excludeTaskManager: boolean,
): string[] {
  const problems: string[] = [];
  for (const [name, expected] of metadata.checksums) {
    if (name === TASK_MANAGER_DUMP_NAME) continue;
    const file = files.get(name);
    if (file === undefined) problems.push(`missing backup file: ${name}`);
    else if (file.sha256 !== expected) problems.push(mismatch(file, expected));
  }
  if (!excludeTaskManager) problems.push(...compareTaskManager(metadata, files));
  for (const name of files.keys()) {
    if (name === METADATA_NAME || name === TASK_MANAGER_DUMP_NAME) continue;
    if (!metadata.checksums.has(name)) {
      problems.push(`file in archive is not listed in its metadata: ${name}`);
    }
  }
  return problems;
}

function compareTaskManager(
  metadata: BackupMetadata,
  files: ReadonlyMap<string, ArchiveFile>,
): string[] {
  const expected = metadata.checksums.get(TASK_MANAGER_DUMP_NAME);
  const file = files.get(TASK_MANAGER_DUMP_NAME);
  if (file === undefined) {
    const announced = expected !== undefined ||
      metadata.components.includes(TASK_MANAGER_COMPONENT);
    return announced
      ? ["backup metadata includes task manager database but prefect.dump is missing"]
      : [];
  }
  if (expected === undefined) {
    return [`missing checksum for ${TASK_MANAGER_DUMP_NAME} in metadata`];
  }
  return file.sha256 === expected ? [] : [mismatch(file, expected)];
}

function mismatch(file: ArchiveFile, expected: string): string {
  return `checksum mismatch for ${file.name}: expected ${expected}, got ${file.sha256}`;
}
