import {
  CheckMemo,
  type CheckOptions,
  CorruptionError,
  type Damage,
  KlosetError,
  type Repository,
} from "../../kloset/mod.ts";
import { type BackupGroup, deriveGroups, namesGroup, selectGroup } from "./group.ts";
import { InvalidInputError } from "../errors.ts";
import type { Reporter } from "../reporter.ts";
import { shortId } from "../show_values.ts";
import { resolveSnapshot } from "./snapshot_id.ts";
import { findBrokenDump } from "./dump_soundness.ts";
import { findMissingContent } from "./soundness.ts";
import { parseTags } from "./tags.ts";

/** What to check. */
export interface CheckSnapshotsOptions {
  readonly repository: Repository;
  /** Prefixes of snapshot ids; with none of them and no backup id, everything is checked. */
  readonly ids: readonly string[];
  readonly backupId?: string;
  /** Check the structure alone, not the content of every chunk. */
  readonly fast: boolean;
  /**
   * Look into each dump to its end, which reads it once more. Otherwise its beginning is looked at.
   *
   * @default {false}
   */
  readonly dumps?: boolean;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** A snapshot that was checked. */
export interface CheckedSnapshot {
  /** 64 hex digits. */
  readonly snapshotId: string;
  /** Empty when the snapshot belongs to no backup, or cannot be read. */
  readonly backupId: string;
  /** Empty as above. */
  readonly component: string;
  /** Empty when the snapshot is sound. */
  readonly damage: readonly Damage[];
}

/** A backup that has damaged snapshots. */
export interface DamagedGroup {
  readonly backupId: string;
  readonly components: readonly string[];
}

/** A file of the repository's own bookkeeping that is damaged. */
export interface DamagedStateFile {
  readonly id: string;
  readonly message: string;
}

/** What was found. */
export interface CheckReport {
  /** With any of these, snapshots may be missing without a trace. */
  readonly damagedStates: readonly DamagedStateFile[];
  readonly snapshots: readonly CheckedSnapshot[];
  readonly damage: readonly Damage[];
  readonly damagedGroups: readonly DamagedGroup[];
  /**
   * Backups that lack components, among those that were checked: interrupted, still being made, or
   * taken apart by whoever removes snapshots one by one.
   */
  readonly incompleteGroups: readonly BackupGroup[];
}

/**
 * Checks snapshots and goes on after damage, so that the report has all of it.
 *
 * @throws {InvalidInputError} when an id does not name one snapshot
 */
export async function checkSnapshots(options: CheckSnapshotsOptions): Promise<CheckReport> {
  const { reporter } = options;
  const snapshots: CheckedSnapshot[] = [];
  const memo = new CheckMemo();
  let bytes = 0;
  // One count for all of them: what they share is read once.
  const onProgress = (verified: number): void => {
    bytes += verified;
    reporter.progress?.({ component: "snapshots", bytes });
  };
  for (const id of await selectIds(options)) {
    options.signal.throwIfAborted();
    reporter.info(`Checking snapshot ${shortId(id)}`);
    snapshots.push(await checkSnapshot(id, { memo, onProgress }, options));
  }
  const hit = snapshots.filter(({ damage, backupId }) => damage.length > 0 && backupId !== "");
  const names = await groupNames(options.repository);
  const components = Map.groupBy(hit, (one) => names.get(one.snapshotId) ?? one.backupId);
  return {
    damagedStates: options.repository.damagedStates.map(({ id, error }) => ({
      id,
      message: error.message,
    })),
    snapshots,
    damage: snapshots.flatMap((snapshot) => snapshot.damage),
    damagedGroups: [...components].map(([backupId, members]) => ({
      backupId,
      components: members.map((member) => member.component),
    })),
    incompleteGroups: await incompleteGroups(options),
  };
}

/** The name of each snapshot's group. */
async function groupNames(repository: Repository): Promise<Map<string, string>> {
  const groups = deriveGroups((await repository.snapshots()).headers);
  return new Map(
    groups.flatMap(({ name, members }) => members.map(({ snapshotId }) => [snapshotId, name])),
  );
}

async function incompleteGroups(
  { repository, ids, backupId }: CheckSnapshotsOptions,
): Promise<BackupGroup[]> {
  // Who names snapshots asks for these, and not for what should be beside them.
  if (ids.length > 0) return [];
  return deriveGroups((await repository.snapshots()).headers).filter((group) =>
    group.status === "incomplete" && (backupId === undefined || namesGroup(backupId, group))
  );
}

async function selectIds(options: CheckSnapshotsOptions): Promise<string[]> {
  const { repository, ids, backupId } = options;
  if (ids.length > 0 && backupId !== undefined) {
    throw new InvalidInputError("snapshot IDs and --backup-id cannot be used together");
  }
  if (ids.length > 0) return [...new Set(ids.map((id) => resolveSnapshot(repository, id)))];
  const { headers, unreadable } = await repository.snapshots();
  if (backupId === undefined) {
    return [...headers.map((header) => header.identifier), ...unreadable.map(({ id }) => id)];
  }
  // A snapshot that cannot be read does not say which backup it belongs to: it might be this one.
  for (const { id } of unreadable) {
    options.reporter.warn(
      `Snapshot ${shortId(id)} cannot be read and may belong to this backup; not checked`,
    );
  }
  const groups = deriveGroups(headers);
  const named = groups.filter((group) => namesGroup(backupId, group));
  // Of several with one id all are checked: that harms none of them.
  return (named.length > 0 ? named : [selectGroup(groups, backupId)]).flatMap(({ members }) =>
    members.map((member) => member.snapshotId)
  );
}

async function checkSnapshot(
  snapshotId: string,
  shared: Pick<CheckOptions, "memo" | "onProgress">,
  { repository, fast, dumps = false, signal }: CheckSnapshotsOptions,
): Promise<CheckedSnapshot> {
  let backupId = "";
  let component = "";
  try {
    const reader = await repository.inspectSnapshot(snapshotId);
    const tags = parseTags(reader.header.tags);
    backupId = tags.backupId ?? "";
    component = tags.component ?? "";
    const damage = await reader.check({ fast, signal, ...shared });
    // Where the tree itself is damaged, what is missing in it has been said already.
    const missing = damage.length > 0 ? [] : await findMissingContent(reader);
    const isReadable = damage.length === 0 && missing.length === 0;
    const broken = isReadable && (dumps || !fast)
      ? await findBrokenDump(reader, { whole: dumps, signal })
      : [];
    return { snapshotId, backupId, component, damage: [...damage, ...missing, ...broken] };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof KlosetError)) throw error;
    return { snapshotId, backupId, component, damage: [damageOf(snapshotId, error)] };
  }
}

function damageOf(snapshot: string, error: KlosetError): Damage {
  const context = error instanceof CorruptionError ? error.context : {};
  return {
    snapshot,
    path: context.path ?? "/",
    message: error.message,
    ...(context.chunk === undefined ? {} : { chunk: context.chunk }),
    ...(context.packfile === undefined ? {} : { packfile: context.packfile }),
  };
}
