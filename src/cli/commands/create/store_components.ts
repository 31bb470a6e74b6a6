import { messageOf } from "../../../errors/mod.ts";
import type { Repository } from "../../../kloset/mod.ts";
import {
  type ComponentSource,
  createBackup,
  type CreateBackupOptions,
  type CreatedArchive,
  type CreatedBackup,
  describeShrinkage,
  formatSize,
  type Neo4jEdition,
  openOrCreate,
  shortId,
  type Shrinkage,
  type TransferCounts,
} from "../../../infrahub/mod.ts";
import { type CommandResult, roundSeconds } from "../../report/mod.ts";
import { EXIT_SUSPICIOUS, redactUrls, VERSION } from "../../process/mod.ts";
import { repositoryAccess, type Session } from "../../session/mod.ts";

/** What the `create` commands have found out by themselves. */
export interface BackupRequest extends
  Pick<
    CreateBackupOptions,
    "sources" | "neo4jEdition" | "infrahubVersion" | "redacted" | "resume" | "sideBySide"
  > {
  readonly sources: readonly ComponentSource[];
  readonly neo4jEdition: Neo4jEdition;
}

/**
 * Opens the repository that the options name, or creates it.
 *
 * @param encrypt whether it has to be encrypted
 */
export async function openTarget(session: Session, encrypt: boolean): Promise<Repository> {
  const access = repositoryAccess(session, "--repo is required when using plakar backend");
  const hasPassphrase = session.isGiven("passphraseFile");
  return await openOrCreate({ ...access, encrypt, hasPassphrase }, session.reporter);
}

/** Stores the sources as one backup. */
export async function storeBackup(
  { context, reporter }: Session,
  repository: Repository,
  request: BackupRequest,
): Promise<CreatedBackup> {
  return await createBackup({
    ...request,
    repository,
    toolVersion: VERSION,
    hostname: context.hostname(),
    now: context.now(),
    reporter,
    signal: context.signal,
  });
}

/**
 * Opens the repository and stores the sources in it as one backup.
 *
 * @param encrypt whether the repository has to be encrypted
 */
export async function backUpToRepository(
  session: Session,
  request: BackupRequest,
  encrypt: boolean,
): Promise<CommandResult> {
  await using repository = await openTarget(session, encrypt);
  return repositoryResult(await storeBackup(session, repository, request), repository.location);
}

/** The result of a backup to a repository. */
export function repositoryResult(
  backup: CreatedBackup,
  location: string,
  shrinkage: readonly Shrinkage[] = [],
): CommandResult {
  const { backupId, components, totals } = backup;
  const repo = redactUrls(location);
  return {
    text: `Backup ${backupId} complete: ${components.length} components, ` +
      `${formatSize(totals.bytesRead)} read, ${formatSize(totals.bytesNew)} new, ` +
      `${formatSize(totals.bytesStored)} stored in ${totals.durationSeconds.toFixed(1)}s ` +
      `(repository ${repo})`,
    json: {
      backup_id: backupId,
      repo,
      components: components.map((component) => ({
        component: component.component,
        snapshot_id: shortId(component.snapshotId),
        ...jsonCounts(component),
      })),
      totals: jsonCounts(totals),
      ...jsonWarnings(shrinkage),
    },
    components: components.map((component) => ({
      ...component,
      durationSeconds: roundSeconds(component.durationSeconds),
    })),
  };
}

/** The result of a backup to an archive. */
export function archiveResult(
  archive: CreatedArchive,
  shrinkage: readonly Shrinkage[] = [],
): CommandResult {
  return {
    text: `Backup ${archive.backupId} complete: ${archive.components.length} components, ` +
      `${formatSize(archive.bytes)} in ${archive.durationSeconds.toFixed(1)}s\n${archive.path}`,
    json: {
      backup_id: archive.backupId,
      path: archive.path,
      components: archive.components.map(({ component, bytes }) => ({
        component,
        bytes_read: bytes,
      })),
      bytes: archive.bytes,
      encrypted: archive.path.endsWith(".enc"),
      duration_seconds: roundSeconds(archive.durationSeconds),
      ...jsonWarnings(shrinkage),
    },
    components: archive.components.map(({ component, bytes }) => ({ component, bytesRead: bytes })),
  };
}

/**
 * Says that a backup is much smaller than the last one, in the log and by the exit code. That it
 * cannot be compared takes nothing away from it, and only warns.
 */
export async function warnOfShrinkage(
  { context, reporter, exitWith }: Session,
  find: () => Promise<Shrinkage[]>,
): Promise<Shrinkage[]> {
  let shrinkage: Shrinkage[];
  try {
    shrinkage = await find();
  } catch (error) {
    context.signal.throwIfAborted();
    reporter.warn(`Could not compare the backup with the one before it: ${messageOf(error)}`);
    return [];
  }
  for (const one of shrinkage) reporter.warn(describeShrinkage(one));
  if (shrinkage.length > 0) exitWith(EXIT_SUSPICIOUS);
  return shrinkage;
}

function jsonWarnings(shrinkage: readonly Shrinkage[]) {
  return shrinkage.length === 0 ? {} : { warnings: shrinkage.map(describeShrinkage) };
}

function jsonCounts(counts: TransferCounts) {
  return {
    bytes_read: counts.bytesRead,
    bytes_new: counts.bytesNew,
    bytes_stored: counts.bytesStored,
    duration_seconds: roundSeconds(counts.durationSeconds),
  };
}
