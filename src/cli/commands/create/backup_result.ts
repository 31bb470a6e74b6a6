import {
  type CreatedArchive,
  type CreatedBackup,
  type DeploymentIdentity,
  describeShrinkage,
  formatSize,
  shortId,
  showDeployment,
  type Shrinkage,
  type TransferCounts,
} from "../../../infrahub/mod.ts";
import type { UploadedArchive } from "./archive_upload.ts";
import { redactUrls } from "../../process/mod.ts";
import { type CommandResult, roundSeconds } from "../../report/mod.ts";

/** The result of a backup to a repository. */
export function repositoryResult(
  backup: CreatedBackup,
  location: string,
  deployment?: DeploymentIdentity,
  shrinkage: readonly Shrinkage[] = [],
): CommandResult {
  const { backupId, run, components, totals } = backup;
  const repo = redactUrls(location);
  return {
    text: `Backup ${backupId} complete: ${components.length} components, ` +
      `${formatSize(totals.bytesRead)} read, ${formatSize(totals.bytesNew)} new, ` +
      `${formatSize(totals.bytesStored)} stored in ${totals.durationSeconds.toFixed(1)}s ` +
      `(repository ${repo})`,
    json: {
      backup_id: backupId,
      ...jsonOrigin(deployment, run),
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

/** The result of a backup to an archive: it names the places where the archive is now. */
export function archiveResult(
  archive: CreatedArchive,
  deployment?: DeploymentIdentity,
  shrinkage: readonly Shrinkage[] = [],
  uploaded?: UploadedArchive,
): CommandResult {
  const path = uploaded === undefined || uploaded.isHere ? archive.path : undefined;
  const places = [path, uploaded?.uri].filter((place) => place !== undefined);
  return {
    text: [
      `Backup ${archive.backupId} complete: ${archive.components.length} components, ` +
      `${formatSize(archive.bytes)} in ${archive.durationSeconds.toFixed(1)}s`,
      ...places,
    ].join("\n"),
    json: {
      backup_id: archive.backupId,
      ...jsonOrigin(deployment, archive.facts?.origin.run),
      ...(path === undefined ? {} : { path }),
      ...(uploaded === undefined ? {} : { uploaded_to: uploaded.uri, kept_local: uploaded.isHere }),
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

function jsonOrigin(deployment: DeploymentIdentity | undefined, run: string | undefined) {
  return {
    ...(deployment === undefined ? {} : { deployment: showDeployment(deployment) }),
    ...(run === undefined ? {} : { run }),
  };
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
