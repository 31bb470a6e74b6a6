import { messageOf } from "../../errors/mod.ts";
import type { Entry, Repository, SnapshotReader } from "../../kloset/mod.ts";
import {
  type BackupChoice,
  findMissingContent,
  parseTags,
  selectBackup,
} from "../catalogue/mod.ts";
import { type DumpInspector, dumpInspectorFor } from "../dump/mod.ts";
import { DamagedDumpError, DamagedSnapshotError, InfrahubBackupError } from "../errors.ts";
import type { BackupOrigin } from "../origin/mod.ts";
import { RestoreDirectory } from "./restore_directory.ts";
import { formatSize, shortId } from "../show_values.ts";

/** What to restore, and where to. */
export interface RestoreToDirectoryOptions extends BackupChoice {
  /** Empty or missing directory. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** A file that was restored. */
export interface RestoredFile {
  readonly component: string;
  /** 64 hex digits. */
  readonly snapshotId: string;
  readonly path: string;
  readonly bytes: number;
  /**
   * Whether it is more than bytes that are as they were stored: a dump that is whole, or no dump at
   * all. False for one that was stored raw, and for one that is not whole and was forced.
   */
  readonly isWhole: boolean;
}

/** A finished restore. */
export interface RestoredBackup {
  /** Empty when a snapshot without a backup id was restored. */
  readonly backupId: string;
  /** Whose it is. */
  readonly origin: BackupOrigin;
  readonly directory: string;
  readonly files: readonly RestoredFile[];
}

/** A snapshot that is going to be restored, known to have what it should have. */
interface Candidate {
  readonly reader: SnapshotReader;
  readonly component: string;
  readonly files: readonly Entry[];
  /** Whether its dump was stored without being looked into. */
  readonly isRaw: boolean;
}

/**
 * Copies a backup into a directory: every chunk and every file is verified before the file gets
 * its name, and either all files get theirs or none.
 *
 * The layout is flat, `neo4j-backup.tar` beside `prefect.dump` beside `backup_information.json`:
 * the names are unique within a backup, and are those that are used everywhere else.
 *
 * @throws {BackupGroupError} when the backup does not exist, or is incomplete and not forced
 * @throws {DamagedSnapshotError} when a snapshot lacks its content, or a dump is not whole and not
 * forced
 * @throws {InfrahubBackupError} when a file cannot be read back as it was stored, or not be written
 */
export async function restoreToDirectory(
  options: RestoreToDirectoryOptions,
): Promise<RestoredBackup> {
  const { reporter, signal } = options;
  const directory = await RestoreDirectory.at(options.directory);
  const { backupId, ids, origin } = await selectBackup(options);
  const candidates: Candidate[] = [];
  for (const id of ids) candidates.push(await prepare(id, options.repository));
  const files: RestoredFile[] = [];
  try {
    for (const candidate of candidates) {
      const { reader, component } = candidate;
      reporter.info(`Extracting ${component} snapshot...`);
      for (const entry of candidate.files) {
        signal.throwIfAborted();
        const { path, bytes, isWhole } = await restoreFile(directory, entry, candidate, options);
        files.push({ component, snapshotId: reader.header.identifier, path, bytes, isWhole });
        reporter.debug("File verified", { path, size_human: formatSize(bytes) });
      }
    }
    await directory.commit();
  } catch (error) {
    await directory.rollBack();
    signal.throwIfAborted();
    throw error;
  }
  return { backupId, origin, directory: directory.path, files };
}

async function restoreFile(
  directory: RestoreDirectory,
  entry: Entry,
  { reader, component, isRaw }: Candidate,
  { reporter, signal, force }: RestoreToDirectoryOptions,
): Promise<{ path: string; bytes: number; isWhole: boolean }> {
  let bytes = 0;
  let look = isRaw ? undefined : dumpInspectorFor(entry.path);
  let isWhole = !isRaw || dumpInspectorFor(entry.path) === undefined;
  const inspect = (observe: (inspector: DumpInspector) => void) => {
    try {
      if (look !== undefined) observe(look);
    } catch (error) {
      if (!(error instanceof DamagedDumpError)) throw error;
      if (!force) {
        throw new DamagedSnapshotError(
          `${error.message}; use --force to copy it as it is`,
          { cause: error },
        );
      }
      reporter.warn(`${entry.path.slice(1)} is copied as it is: ${error.message}`);
      look = undefined;
      isWhole = false;
    }
  };
  try {
    const written = await directory.write(
      entry.path,
      entry,
      async (write) => {
        await reader.copy(entry.path, async (piece) => {
          inspect((inspector) => inspector.observe(piece));
          await write(piece);
          bytes += piece.length;
          reporter.progress?.({ component, bytes, bytesTotal: entry.size });
        }, { signal });
        inspect((inspector) => inspector.finish());
        return bytes;
      },
    );
    return { ...written, isWhole };
  } catch (error) {
    throw new InfrahubBackupError(
      `failed to extract ${component} snapshot: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function prepare(snapshotId: string, repository: Repository): Promise<Candidate> {
  const reader = await repository.openSnapshot(snapshotId);
  const { component = "", rawDumps } = parseTags(reader.header.tags);
  const [missing] = await findMissingContent(reader);
  if (missing !== undefined) {
    throw new DamagedSnapshotError(
      `snapshot ${shortId(snapshotId)} (${component}) is damaged: ${missing.path}: ` +
        missing.message,
    );
  }
  const entries = await Array.fromAsync(reader.entries());
  const files = entries.filter((entry) => entry.type === "file");
  return { reader, component, files, isRaw: rawDumps };
}
