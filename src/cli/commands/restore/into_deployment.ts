import { openArchive } from "../../../archive/mod.ts";
import {
  archiveMaterial,
  type BackupOrigin,
  formatLocalTime,
  isLost,
  openExisting,
  originFields,
  planRestore,
  readOriginFields,
  repositoryMaterial,
  requireAllowed,
  type RestoreMaterial,
  selectBackup,
  showDeployment,
  showOrigin,
  watchedMaterial,
} from "../../../infrahub/mod.ts";
import { requireConsent } from "./consent.ts";
import { loadDecryptionKey, type RestoreRequest } from "./request.ts";
import { type CommandResult, roundSeconds } from "../../report/mod.ts";
import {
  connectAndIdentify,
  deploymentRuns,
  type IdentifiedConnection,
  pauseForTransfer,
  recordOf,
  repositoryAccess,
  requireBackupFile,
  type Session,
  settleEarlierRuns,
} from "../../session/mod.ts";

/** Restores a backup, or one snapshot, of a repository into the deployment. */
export async function restoreFromRepository(
  session: Session,
  request: RestoreRequest,
): Promise<CommandResult> {
  const { context, reporter } = session;
  if (request.decryptKey !== undefined) {
    reporter.warn("--decrypt-key ignored: it is for archives, and the backend is plakar");
  }
  await pauseForTransfer(session, request.sleepMs);
  const connection = await connect(session, request);
  await using repository = await openExisting(
    repositoryAccess(session, "--repo is required when using plakar backend"),
  );
  const { backupId, snapshot, force, fromDeployment, excludeTaskManager } = request;
  const selected = await selectBackup({
    repository,
    force,
    reporter,
    into: connection.inHand,
    ...(fromDeployment === undefined ? {} : { from: fromDeployment }),
    ...(backupId === undefined ? {} : { backupId }),
    ...(snapshot === undefined ? {} : { snapshot }),
  });
  context.signal.throwIfAborted();
  const material = await repositoryMaterial(repository, selected, excludeTaskManager);
  reporter.info("Backup metadata loaded", {
    backup_id: material.backupId,
    infrahub_version: material.infrahubVersion,
    neo4j_edition: material.neo4jEdition,
    components: componentsOf(material),
  });
  return await restore(
    session,
    connection,
    request,
    { ...material, ...(selected.backupId === "" ? {} : { backupId: selected.backupId }) },
    { origin: selected.origin, date: formatLocalTime(selected.date) },
    selected.isWhole
      ? "Restore from Plakar backup group completed successfully"
      : "Restore from Plakar snapshot completed successfully",
  );
}

/** Restores an archive into the deployment. */
export async function restoreFromArchive(
  session: Session,
  path: string,
  request: RestoreRequest,
): Promise<CommandResult> {
  const { context, reporter } = session;
  await pauseForTransfer(session, request.sleepMs, "Press Ctrl+C to cancel if you need more time");
  await requireBackupFile(path);
  const privateKey = await loadDecryptionKey(request);
  const connection = await connect(session, request);
  reporter.info("Starting backup restore", { backup_file: path });
  if (privateKey !== undefined) reporter.info("Decrypting backup archive...");
  const { excludeTaskManager } = request;
  const archive = await openArchive(path, {
    privateKey,
    excludeTaskManager,
    signal: context.signal,
  });
  const { metadata } = archive;
  reporter.info("Backup metadata loaded", {
    backup_id: metadata.backupId,
    created_at: metadata.createdAt,
    tool_version: metadata.toolVersion,
    infrahub_version: metadata.infrahubVersion,
    neo4j_edition: metadata.neo4jEdition,
    components: metadata.components,
  });
  const origin = readOriginFields(metadata.origin);
  // One of the Go tool names not even a host: it is whose the user says, as ever.
  if (origin.host !== "") {
    const { fromDeployment: from } = request;
    const choice = { reporter, ...(from === undefined ? {} : { from }) };
    requireAllowed(`archive ${metadata.backupId}`, origin, choice, connection.inHand);
  }
  return await restore(
    session,
    connection,
    request,
    archiveMaterial(archive, excludeTaskManager),
    { origin, date: metadata.createdAt },
    "Restore completed successfully",
  );
}

/** Finds the deployment, on which no other restore may be unfinished. */
async function connect(session: Session, request: RestoreRequest): Promise<IdentifiedConnection> {
  const connection = await connectAndIdentify(session, request.waitsForServices);
  const mayChange = !request.isDryRun;
  await settleEarlierRuns(session, connection, { command: "restore", mayChange });
  return connection;
}

/** Where a backup comes from. */
interface Provenance {
  readonly origin: BackupOrigin;
  /** When it was made, for people. */
  readonly date: string;
}

async function restore(
  session: Session,
  identified: IdentifiedConnection,
  request: RestoreRequest,
  material: RestoreMaterial,
  { origin, date }: Provenance,
  success: string,
): Promise<CommandResult> {
  const { context, reporter } = session;
  const { inHand, ...connection } = identified;
  const { backupId } = material;
  const target = showDeployment(inHand.deployment);
  const started = context.clock.now();
  request.facts.backup_id = backupId;
  await requireConsent(session, request, {
    backup: `backup ${backupId} of ${showOrigin(origin)}`,
    date,
    bytes: [material.neo4j, material.postgres, material.storage]
      .reduce((sum, dump) => sum + (dump?.bytes ?? 0), 0),
    target,
  });
  const plan = await planRestore({
    ...connection,
    ...request,
    ...(request.isDryRun ? {} : recordOf(session, identified, "restore", request.keepsOld)),
    material: watchedMaterial(material, reporter),
    now: context.now(),
  });
  if (request.isDryRun) {
    return {
      text: [
        `Backup ${backupId} is sound and would be restored so:`,
        ...plan.steps.map((step, index) => `  ${index + 1}. ${step}`),
        `Made of ${showOrigin(origin)} on ${date}; restored into ${target}`,
      ].join("\n"),
      json: {
        backup_id: backupId,
        date,
        origin: originFields(origin),
        into: target,
        dry_run: true,
        steps: plan.steps,
      },
    };
  }
  const leftToDo = await plan.execute();
  for (const sentence of leftToDo) reporter.warn(sentence);
  await forgetReplaced(session, identified);
  reporter.info(success);
  const components = componentsOf(material);
  if (components.length > 0) reporter.info("Infrahub should be available shortly");
  return {
    text: components.length === 0
      ? `Backup ${backupId}: nothing to restore`
      : `Backup ${backupId} restored: ${components.join(", ")}`,
    json: {
      backup_id: backupId,
      components,
      ...(leftToDo.length === 0 ? {} : { left_to_do: leftToDo }),
      duration_seconds: roundSeconds((context.clock.now() - started) / 1_000),
    },
  };
}

/** A database that a killed restore had half replaced is whole again. */
async function forgetReplaced(
  session: Session,
  { inHand }: IdentifiedConnection,
): Promise<void> {
  const runs = deploymentRuns(session, inHand.deployment);
  for (const run of await runs?.find() ?? []) {
    if (!run.isAlive && isLost(run)) await runs?.forget(run);
  }
}

/** The components that are restored; the metadata is only read. */
function componentsOf({ neo4j, postgres, storage }: RestoreMaterial): string[] {
  return [
    ...(neo4j === undefined ? [] : ["neo4j"]),
    ...(postgres === undefined ? [] : ["postgres"]),
    ...(storage === undefined ? [] : ["storage"]),
  ];
}
