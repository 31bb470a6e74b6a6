import { type Archive, openArchive } from "../../../archive/mod.ts";
import {
  archiveMaterial,
  DamagedSnapshotError,
  formatSize,
  openExisting,
  originFields,
  readOriginFields,
  type RestoredFile,
  restoreToDirectory,
  shortId,
  showOrigin,
  verifyMaterial,
} from "../../../infrahub/mod.ts";
import { loadDecryptionKey, type RestoreRequest } from "./request.ts";
import type { CommandResult } from "../../report/mod.ts";
import {
  deploymentName,
  repositoryAccess,
  requireBackupFile,
  type Session,
} from "../../session/mod.ts";

/** Copies a backup of a repository into a directory. */
export async function extractBackup(
  session: Session,
  directory: string,
  { backupId, snapshot, force, fromDeployment }: RestoreRequest,
): Promise<CommandResult> {
  const { context, reporter } = session;
  // No deployment is connected: the one that is named is the one whose backup it is.
  const from = fromDeployment ?? deploymentName(session);
  await using repository = await openExisting(
    repositoryAccess(session, "--repo is required when using plakar backend"),
  );
  const restored = await restoreToDirectory({
    repository,
    directory,
    force,
    reporter,
    signal: context.signal,
    ...(from === undefined ? {} : { from }),
    ...(backupId === undefined ? {} : { backupId }),
    ...(snapshot === undefined ? {} : { snapshot }),
  });
  const { files } = restored;
  const bytes = files.reduce((total, file) => total + file.bytes, 0);
  return {
    text:
      `Backup ${restored.backupId} of ${
        showOrigin(restored.origin)
      } restored to ${restored.directory}: ${files.length} files, ` +
      `${formatSize(bytes)}, ${describeFiles(files)}`,
    json: {
      backup_id: restored.backupId,
      origin: originFields(restored.origin),
      directory: restored.directory,
      files: files.map((file) => ({
        component: file.component,
        snapshot_id: shortId(file.snapshotId),
        path: file.path,
        bytes: file.bytes,
        whole: file.isWhole,
      })),
    },
  };
}

/** What was verified of the files, and what was not. */
function describeFiles(files: readonly RestoredFile[]): string {
  const others = files.filter((file) => !file.isWhole).map(({ path }) => path.split("/").at(-1));
  return others.length === 0
    ? "verified"
    : `as they were stored (not known to be whole: ${others.join(", ")})`;
}

/** Unpacks an archive into a directory, as `<directory>/backup/…`. */
export async function extractArchive(
  session: Session,
  path: string,
  directory: string,
  request: RestoreRequest,
): Promise<CommandResult> {
  const { signal } = session.context;
  await requireBackupFile(path);
  const archive = await openArchive(path, {
    privateKey: await loadDecryptionKey(request),
    excludeTaskManager: request.excludeTaskManager,
    signal,
  });
  const isWhole = await isWholeBackup(session, archive, request);
  await archive.extractTo(directory, { signal });
  const { backupId } = archive.metadata;
  return {
    text: `Backup ${backupId} extracted to ${directory}: ${formatSize(archive.totalBytes)}, ${
      isWhole ? "verified" : "as it was archived (its dumps are not known to be whole)"
    }`,
    json: {
      backup_id: backupId,
      origin: originFields(readOriginFields(archive.metadata.origin)),
      directory,
      bytes: archive.totalBytes,
      whole: isWhole,
    },
  };
}

/**
 * Whether the dumps are whole, beyond their checksums.
 *
 * @throws {DamagedSnapshotError} one is not, and the archive is not to be unpacked by force
 */
async function isWholeBackup(
  { context, reporter }: Session,
  archive: Archive,
  { excludeTaskManager, force }: RestoreRequest,
): Promise<boolean> {
  // Nobody has said that they are whole: they are taken out as they were put in.
  if (archive.metadata.rawDumps) return false;
  try {
    const material = archiveMaterial(archive, excludeTaskManager);
    await verifyMaterial(material, reporter, context.signal);
    return true;
  } catch (error) {
    if (!(error instanceof DamagedSnapshotError)) throw error;
    if (!force) {
      const hint = "--force unpacks it as it is";
      throw new DamagedSnapshotError(error.message, { cause: error, hint });
    }
    reporter.warn(`Unpacked as it is: ${error.message}`);
    return false;
  }
}
