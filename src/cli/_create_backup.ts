import {
  type ComponentSource,
  createBackup,
  type CreatedBackup,
  formatSize,
  type Neo4jEdition,
  openOrCreate,
  shortId,
  type TransferCounts,
} from "../infrahub/mod.ts";
import { redactUrls } from "./redact.ts";
import { repositoryAccess, requireKnownBackend, type Session, writeJson } from "./session.ts";
import { UsageError } from "./usage_error.ts";
import { VERSION } from "./version.ts";

/** What the `create` sub-commands have found out by themselves. */
export interface BackupRequest {
  readonly sources: readonly ComponentSource[];
  readonly neo4jEdition: Neo4jEdition;
  readonly infrahubVersion: string;
}

/** Fails unless the options choose the one backend that can create backups so far. */
export function requirePlakarBackend(session: Session, command: string): void {
  if (requireKnownBackend(session.globals) === "tarball") {
    throw new UsageError(
      `this version of "${command}" stores into a repository only: ` +
        "use --backend plakar --repo <location>",
    );
  }
}

/** Stores the sources as one backup and prints the result. */
export async function runBackup(session: Session, request: BackupRequest): Promise<void> {
  const { context, reporter } = session;
  const access = repositoryAccess(session, "--repo is required when using plakar backend");
  await using repository = await openOrCreate(access, reporter);
  const backup = await createBackup({
    ...request,
    repository,
    toolVersion: VERSION,
    hostname: context.hostname(),
    now: context.now(),
    reporter,
    signal: context.signal,
  });
  if (session.json) writeJson(session, jsonResult(backup, redactUrls(repository.location)));
  else context.writeOut(`${summary(backup)}\n`);
}

function summary({ backupId, components, totals }: CreatedBackup): string {
  return `Backup ${backupId} complete: ${components.length} components, ` +
    `${formatSize(totals.bytesRead)} read, ${formatSize(totals.bytesNew)} new, ` +
    `${formatSize(totals.bytesStored)} stored in ${totals.durationSeconds.toFixed(1)}s`;
}

function jsonResult(backup: CreatedBackup, repo: string) {
  return {
    backup_id: backup.backupId,
    repo,
    components: backup.components.map((component) => ({
      component: component.component,
      snapshot_id: shortId(component.snapshotId),
      ...jsonCounts(component),
    })),
    totals: jsonCounts(backup.totals),
  };
}

function jsonCounts(counts: TransferCounts) {
  return {
    bytes_read: counts.bytesRead,
    bytes_new: counts.bytesNew,
    bytes_stored: counts.bytesStored,
    duration_seconds: Math.round(counts.durationSeconds * 1_000) / 1_000,
  };
}
