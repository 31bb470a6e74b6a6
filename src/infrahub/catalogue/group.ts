import { compareComponents } from "../component.ts";
import { BackupGroupError } from "../errors.ts";
import { parseTags, type SnapshotTags } from "./tags.ts";
import { formatLocalTime } from "../timestamp.ts";

/** What grouping needs to know of a snapshot. */
export interface GroupableSnapshot {
  /** 64 hex digits. */
  readonly identifier: string;
  readonly timestamp: Date;
  readonly tags: readonly string[];
}

/** One snapshot of a group. */
export interface GroupMember {
  /** 64 hex digits. */
  readonly snapshotId: string;
  /** Name of the component; empty when the tag is missing. */
  readonly component: string;
  readonly timestamp: Date;
}

/** All snapshots of one backup. */
export interface BackupGroup {
  readonly backupId: string;
  /** When its first snapshot was made. */
  readonly date: Date;
  /** Derived from what is there; no snapshot can know it of its successors. */
  readonly status: "complete" | "incomplete";
  readonly infrahubVersion: string;
  readonly neo4jEdition: string;
  /** The components that the backup was to have; undefined when no snapshot says so. */
  readonly expected: readonly string[] | undefined;
  /** The expected components that have no snapshot. */
  readonly missing: readonly string[];
  /** In component order; of one component the oldest first. */
  readonly members: readonly GroupMember[];
  readonly redacted: boolean;
}

/** Groups snapshots by their backup id, newest group first; those without an id are left out. */
export function deriveGroups(snapshots: readonly GroupableSnapshot[]): BackupGroup[] {
  const byId = new Map<string, TaggedSnapshot[]>();
  for (const snapshot of snapshots) {
    const tags = parseTags(snapshot.tags);
    if (!tags.backupId) continue;
    const members = byId.get(tags.backupId) ?? [];
    members.push({ snapshot, tags });
    byId.set(tags.backupId, members);
  }
  return [...byId].map(([backupId, members]) => deriveGroup(backupId, members)).sort((a, b) =>
    b.date.getTime() - a.date.getTime() || (a.backupId < b.backupId ? 1 : -1)
  );
}

/** A snapshot and what its tags say. */
interface TaggedSnapshot {
  readonly snapshot: GroupableSnapshot;
  readonly tags: SnapshotTags;
}

function deriveGroup(backupId: string, snapshots: TaggedSnapshot[]): BackupGroup {
  const oldestFirst = snapshots.toSorted((a, b) =>
    a.snapshot.timestamp.getTime() - b.snapshot.timestamp.getTime()
  );
  const tags = oldestFirst.map((member) => member.tags);
  const members = oldestFirst.map(({ snapshot, tags }): GroupMember => ({
    snapshotId: snapshot.identifier,
    component: tags.component ?? "",
    timestamp: snapshot.timestamp,
  })).sort((a, b) => compareComponents(a.component, b.component));
  const expected = tags.find((tag) => tag.components)?.components?.toSorted(compareComponents);
  const present = new Set(members.map((member) => member.component));
  const missing = (expected ?? []).filter((component) => !present.has(component));
  return {
    backupId,
    date: oldestFirst[0]?.snapshot.timestamp ?? new Date(0),
    status: missing.length === 0 ? "complete" : "incomplete",
    infrahubVersion: tags.find((tag) => tag.infrahubVersion)?.infrahubVersion ?? "",
    neo4jEdition: tags.find((tag) => tag.neo4jEdition)?.neo4jEdition ?? "",
    expected,
    missing,
    members,
    redacted: tags.some((tag) => tag.redacted),
  };
}

/**
 * Finds the group to work on: the one named, else the newest complete one, else the newest.
 *
 * @param groups newest first, as of {@linkcode deriveGroups}
 * @throws {BackupGroupError} when there is none of that name, or none at all
 */
export function selectGroup(groups: readonly BackupGroup[], backupId?: string): BackupGroup {
  if (backupId === undefined) {
    const group = groups.find((candidate) => candidate.status === "complete") ?? groups[0];
    if (group === undefined) throw new BackupGroupError("no backup groups found in repository");
    return group;
  }
  const group = groups.find((candidate) => candidate.backupId === backupId);
  if (group !== undefined) return group;
  if (groups.length === 0) {
    throw new BackupGroupError(
      `backup group not found: ${backupId} (repository contains no backup groups)`,
    );
  }
  const available = groups.map(({ backupId, date, status }) =>
    `\n  ${backupId} (${formatLocalTime(date)}, ${status})`
  );
  throw new BackupGroupError(
    `backup group not found: ${backupId}\nAvailable groups:${available.join("")}`,
  );
}
