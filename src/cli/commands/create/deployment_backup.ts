import {
  archiveDumps,
  backUpDeployment,
  type CreatedArchive,
  type CreatedBackup,
  type DeploymentBackupOptions,
  findResumable,
  findShrunkenArchive,
  findShrunkenDumps,
  type Neo4jEdition,
  prepareArchiveDirectory,
  UndoFailedError,
  watchedSources,
} from "../../../infrahub/mod.ts";
import { redactUrls, VERSION } from "../../process/mod.ts";
import type { CommandResult, KnownFacts } from "../../report/mod.ts";
import {
  backupDirectory,
  connectAndIdentify,
  recordOf,
  type Session,
  settleEarlierRuns,
} from "../../session/mod.ts";
import { UsageError } from "../../syntax/mod.ts";
import { type ArchiveUpload, uploadCreated } from "./archive_upload.ts";
import { archiveResult, repositoryResult } from "./backup_result.ts";
import { archiveRecords } from "./own_backups.ts";
import { openTarget, storeBackup, type TargetChoice } from "./repository_backup.ts";
import { warnOfShrinkage } from "./shrink_warning.ts";

/** A backup of a deployment, for either backend. */
export interface DeploymentBackupRequest {
  readonly options: Omit<DeploymentBackupOptions, "deployment" | "credentials">;
  /** By how many percent it may be smaller than the last one; 0 for any. */
  readonly shrinkWarning: number;
  /** Whether services that are started again are waited for until they answer. */
  readonly waitsForServices: boolean;
  /** Gets what is known when the run fails all the same. */
  readonly facts: KnownFacts;
}

/**
 * Backs up the deployment to the repository, which is opened or created before anything else.
 *
 * @param to how the repository has to be, and which incomplete backup gets what it lacks
 */
export async function backUpDeploymentToRepository(
  session: Session,
  { options, shrinkWarning: percent, waitsForServices, facts }: DeploymentBackupRequest,
  to: TargetChoice & { readonly resumeId?: string },
): Promise<CommandResult> {
  const { reporter } = session;
  const { resumeId } = to;
  if (resumeId !== undefined && options.redact) {
    throw new UsageError("--redact cannot be used with --resume: the backup has begun without it");
  }
  const identified = await connectAndIdentify(session, waitsForServices);
  await settleEarlierRuns(session, identified, { command: "create", mayChange: true });
  const { inHand, ...connection } = identified;
  const { deployment } = inHand;
  await using repository = await openTarget(session, to);
  const resume = resumeId === undefined
    ? undefined
    : await findResumable(repository, resumeId, reporter, inHand);
  let done: { backup: CreatedBackup; neo4jEdition: Neo4jEdition } | undefined;
  const backUp = backUpDeployment({
    ...connection,
    ...options,
    ...recordOf(session, identified, "create"),
    ...(resume === undefined ? {} : { resume }),
  }, async (ready) => {
    const backup = await storeBackup(session, repository, {
      ...ready,
      deployment,
      ...(resume === undefined ? {} : { resume }),
    });
    done = { backup, neo4jEdition: ready.neo4jEdition };
    facts.backup_id = backup.backupId;
    facts.repo = redactUrls(repository.location);
    await ready.release();
    return done;
  });
  const { backup, neo4jEdition } = await orSayThatItIsMade(session, backUp, () => done?.backup);
  const shrinkage = await warnOfShrinkage(session, () =>
    findShrunkenDumps({
      repository,
      backup,
      inHand,
      neo4jEdition,
      percent,
      reporter,
    }));
  return repositoryResult(backup, repository.location, deployment, shrinkage);
}

/**
 * Backs up the deployment to an archive, encrypted when there is a recipient, and uploads it when
 * that is asked for.
 */
export async function backUpDeploymentToArchive(
  session: Session,
  { options, shrinkWarning, waitsForServices, facts }: DeploymentBackupRequest,
  recipient: CryptoKey | undefined,
  upload: ArchiveUpload | undefined,
): Promise<CommandResult> {
  const { context, reporter } = session;
  const directory = backupDirectory(session);
  const identified = await connectAndIdentify(session, waitsForServices);
  await settleEarlierRuns(session, identified, { command: "create", mayChange: true });
  const { inHand, ...connection } = identified;
  await prepareArchiveDirectory(directory);
  const records = archiveRecords(session);
  let done: CreatedArchive | undefined;
  const backUp = backUpDeployment(
    {
      ...connection,
      ...options,
      ...recordOf(session, identified, "create"),
      archiveDirectory: directory,
    },
    async ({ sources, neo4jEdition, infrahubVersion, data, redacted, release }) => {
      done = await archiveDumps(watchedSources(sources, reporter), {
        directory,
        neo4jEdition,
        neo4jDatabase: connection.credentials.neo4j.database,
        infrahubVersion,
        toolVersion: VERSION,
        data,
        redacted,
        ...inHand,
        ...records,
        ...(recipient === undefined ? {} : { recipient }),
        now: context.now(),
        reporter,
        signal: context.signal,
      }, release);
      facts.backup_id = done.backupId;
      facts.path = done.path;
      return done;
    },
  );
  const archive = await orSayThatItIsMade(session, backUp, () => done);
  const shrinkage = await warnOfShrinkage(
    session,
    () => findShrunkenArchive(archive, shrinkWarning, { ...records, signal: context.signal }),
  );
  const { deployment } = inHand;
  if (upload === undefined) return archiveResult(archive, deployment, shrinkage);
  return archiveResult(
    archive,
    deployment,
    shrinkage,
    await uploadCreated(session, archive, upload),
  );
}

/** A run may fail after its backup was made; that it exists has to be said all the same. */
async function orSayThatItIsMade<Value>(
  { reporter }: Session,
  backUp: Promise<Value>,
  made: () => { readonly backupId: string } | undefined,
): Promise<Value> {
  try {
    return await backUp;
  } catch (error) {
    const backup = made();
    if (backup !== undefined && error instanceof UndoFailedError) {
      reporter.warn(
        `Backup ${backup.backupId} itself is complete; the deployment is not as it was before`,
      );
    }
    throw error;
  }
}
