import type { Entry, Repository, SnapshotReader } from "../kloset/mod.ts";
import { isComponent } from "./component.ts";
import {
  BackupGroupError,
  DamagedSnapshotError,
  InfrahubBackupError,
  InvalidInputError,
  messageOf,
} from "./errors.ts";
import { type BackupGroup, type GroupMember, selectGroup } from "./group.ts";
import { listGroups } from "./list.ts";
import type { Reporter } from "./reporter.ts";
import { RestoreDirectory } from "./restore_directory.ts";
import { formatSize, shortId } from "./show_values.ts";
import { resolveSnapshot } from "./snapshot_id.ts";
import { findMissingContent } from "./soundness.ts";
import { parseTags } from "./tags.ts";
import { formatLocalTime } from "./timestamp.ts";

/** What to restore, and where to. */
export interface RestoreToDirectoryOptions {
  readonly repository: Repository;
  /** Empty or missing directory. */
  readonly directory: string;
  /** Backup to restore; the newest complete one when neither this nor `snapshot` is given. */
  readonly backupId?: string;
  /** Prefix of the id of the only snapshot to restore. */
  readonly snapshot?: string;
  /** Restore a backup that lacks components. */
  readonly force: boolean;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** A file that was restored. */
export interface RestoredFile {
  readonly component: string;
  /** 64 hex digits. */
  readonly snapshotId: string;
  readonly path: string;
  readonly bytes: number;
}

/** A finished restore. */
export interface RestoredBackup {
  /** Empty when a snapshot without a backup id was restored. */
  readonly backupId: string;
  readonly directory: string;
  readonly files: readonly RestoredFile[];
}

/** A snapshot that is going to be restored, known to have what it should have. */
interface Candidate {
  readonly reader: SnapshotReader;
  readonly component: string;
  readonly files: readonly Entry[];
}

/**
 * Copies a backup into a directory: every chunk and every file is verified before the file gets
 * its name, and either all files get theirs or none.
 *
 * The layout is flat, `neo4j-backup.tar` beside `prefect.dump` beside `backup_information.json`:
 * the names are unique within a backup, and are those that are used everywhere else.
 *
 * @throws {BackupGroupError} when the backup does not exist, or is incomplete and not forced
 * @throws {DamagedSnapshotError} when a snapshot lacks its content
 * @throws {InfrahubBackupError} when a file cannot be read back as it was stored, or not be written
 */
export async function restoreToDirectory(
  options: RestoreToDirectoryOptions,
): Promise<RestoredBackup> {
  const { reporter, signal } = options;
  if (options.snapshot !== undefined && options.backupId !== undefined) {
    throw new InvalidInputError("--snapshot and --backup-id cannot be used together");
  }
  const directory = await RestoreDirectory.at(options.directory);
  const { backupId, ids } = await select(options);
  const candidates: Candidate[] = [];
  for (const id of ids) candidates.push(await prepare(id, options.repository));
  const files: RestoredFile[] = [];
  try {
    for (const { reader, component, files: entries } of candidates) {
      reporter.info(`Extracting ${component} snapshot...`);
      for (const entry of entries) {
        signal.throwIfAborted();
        const { path, bytes } = await restoreFile(directory, entry, reader, component, signal);
        files.push({ component, snapshotId: reader.header.identifier, path, bytes });
        reporter.debug("File verified", { path, size_human: formatSize(bytes) });
      }
    }
    await directory.commit();
  } catch (error) {
    await directory.rollBack();
    signal.throwIfAborted();
    throw error;
  }
  return { backupId, directory: directory.path, files };
}

async function restoreFile(
  directory: RestoreDirectory,
  entry: Entry,
  reader: SnapshotReader,
  component: string,
  signal: AbortSignal,
): Promise<{ path: string; bytes: number }> {
  try {
    return await directory.write(
      entry.path,
      entry,
      (write) => reader.copy(entry.path, write, { signal }),
    );
  } catch (error) {
    throw new InfrahubBackupError(
      `failed to extract ${component} snapshot: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function select(
  options: RestoreToDirectoryOptions,
): Promise<{ backupId: string; ids: string[] }> {
  const { repository, reporter } = options;
  if (options.snapshot !== undefined) {
    const id = resolveSnapshot(repository, options.snapshot);
    const { header } = await repository.openSnapshot(id);
    const { backupId = "", component = "" } = parseTags(header.tags);
    if (!isComponent(component)) {
      throw new InvalidInputError(`unknown component type in snapshot: ${component}`);
    }
    reporter.info("Restoring from single Plakar snapshot", {
      snapshot_id: shortId(id),
      date: formatLocalTime(header.timestamp),
      name: header.name,
    });
    return { backupId, ids: [id] };
  }
  const group = selectGroup(await listGroups(repository, reporter), options.backupId);
  const members = newestOfEach(group, reporter);
  reporter.info("Restoring from backup group", {
    backup_id: group.backupId,
    status: group.status,
    components: members.length,
  });
  if (group.status === "incomplete") {
    const missing = `incomplete (missing: ${group.missing.join(", ")})`;
    if (!options.force) {
      throw new BackupGroupError(
        `backup group ${group.backupId} is ${missing}; use --force to restore available components`,
      );
    }
    reporter.warn(`Backup group ${group.backupId} is ${missing}`);
  }
  return { backupId: group.backupId, ids: members.map((member) => member.snapshotId) };
}

/** A component that was stored again under the same id replaces the earlier one. */
function newestOfEach(group: BackupGroup, reporter: Reporter): GroupMember[] {
  const newest = new Map<string, GroupMember>();
  for (const member of group.members) {
    const earlier = newest.get(member.component);
    if (earlier !== undefined) {
      reporter.warn(
        `Backup group ${group.backupId} has several ${member.component} snapshots: ` +
          `${shortId(member.snapshotId)} is used, ${shortId(earlier.snapshotId)} is not`,
      );
    }
    newest.set(member.component, member);
  }
  return [...newest.values()];
}

async function prepare(snapshotId: string, repository: Repository): Promise<Candidate> {
  const reader = await repository.openSnapshot(snapshotId);
  const { component = "" } = parseTags(reader.header.tags);
  const [missing] = await findMissingContent(reader);
  if (missing !== undefined) {
    throw new DamagedSnapshotError(
      `snapshot ${shortId(snapshotId)} (${component}) is damaged: ${missing.path}: ` +
        missing.message,
    );
  }
  const entries = await Array.fromAsync(reader.entries());
  return { reader, component, files: entries.filter((entry) => entry.type === "file") };
}
