import { compareComponents } from "../component.ts";
import { BackupGroupError } from "../errors.ts";
import { type BackupOrigin, parseOriginTags, showOrigin } from "../origin/mod.ts";
import { madeAfter, parseTags, type SnapshotTags } from "./tags.ts";
import { formatLocalTime } from "../timestamp.ts";

/** What grouping needs to know of a snapshot. */
export interface GroupableSnapshot {
  /** 64 hex digits. */
  readonly identifier: string;
  readonly timestamp: Date;
  readonly tags: readonly string[];
  /** Where it says that it comes from. */
  readonly importer?: { readonly origin: string };
}

/** One snapshot of a group. */
export interface GroupMember {
  /** 64 hex digits. */
  readonly snapshotId: string;
  /** Name of the component; empty when the tag is missing. */
  readonly component: string;
  readonly timestamp: Date;
}

/** All snapshots of one backup: what one run has made of one deployment. */
export interface BackupGroup {
  /** Usually nobody else's; two runs that knew nothing of each other may have chosen the same. */
  readonly backupId: string;
  /**
   * What names the group beyond doubt: the backup id, and where another group has the same, the
   * beginning of the run's id behind it, as `20260318_143000.3f2a9c01`.
   */
  readonly name: string;
  /** Whose it is. */
  readonly origin: BackupOrigin;
  /** When its first snapshot was made. */
  readonly date: Date;
  /** A backup that is older in truth although its date is later; undefined as a rule. */
  readonly madeAfter: string | undefined;
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

/** As many digits of a run's id as stand in a group's name. */
const SHOWN_RUN_DIGITS = 8;

/** Least digits of a run's id by which a group can be named. */
const LEAST_RUN_DIGITS = 4;

/**
 * Groups snapshots by their backup id and their run, newest group first; those without an id are left
 * out. Snapshots without a run, of the Go tool and of earlier versions, are told apart by their host.
 */
export function deriveGroups(snapshots: readonly GroupableSnapshot[]): BackupGroup[] {
  const byRun = new Map<string, TaggedSnapshot[]>();
  const sameId = new Map<string, Set<string>>();
  for (const snapshot of snapshots) {
    const tags = parseTags(snapshot.tags);
    const { backupId } = tags;
    if (!backupId) continue;
    const origin = parseOriginTags(snapshot.tags, snapshot.importer?.origin ?? "");
    const key = keyOf(backupId, origin);
    const members = byRun.get(key) ?? [];
    members.push({ snapshot, tags, origin });
    byRun.set(key, members);
    sameId.set(backupId, (sameId.get(backupId) ?? new Set()).add(key));
  }
  return [...byRun.values()].map((members) => {
    const isShared = (sameId.get(members[0]?.tags.backupId ?? "")?.size ?? 0) > 1;
    return deriveGroup(members, isShared);
  }).sort((a, b) => b.date.getTime() - a.date.getTime() || (a.name < b.name ? 1 : -1));
}

/** A snapshot and what its tags say. */
interface TaggedSnapshot {
  readonly snapshot: GroupableSnapshot;
  readonly tags: SnapshotTags;
  readonly origin: BackupOrigin;
}

/** Equal for the snapshots of one group. */
function keyOf(backupId: string, { deployment, host, run }: BackupOrigin): string {
  if (run === undefined) return JSON.stringify([backupId, host]);
  const { name, place } = deployment ?? {};
  return JSON.stringify([backupId, run, name, place?.kind, place?.target, place?.id]);
}

function deriveGroup(snapshots: TaggedSnapshot[], isIdShared: boolean): BackupGroup {
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
  const backupId = tags[0]?.backupId ?? "";
  const origin = oldestFirst[0]?.origin ?? { host: "" };
  const suffix = origin.run?.slice(0, SHOWN_RUN_DIGITS) ?? (origin.host || "unknown");
  return {
    backupId,
    name: isIdShared ? `${backupId}.${suffix}` : backupId,
    origin,
    date: oldestFirst[0]?.snapshot.timestamp ?? new Date(0),
    madeAfter: oldestFirst.map(({ snapshot }) => madeAfter(snapshot.tags)).find((id) => id),
    status: missing.length === 0 ? "complete" : "incomplete",
    infrahubVersion: tags.find((tag) => tag.infrahubVersion)?.infrahubVersion ?? "",
    neo4jEdition: tags.find((tag) => tag.neo4jEdition)?.neo4jEdition ?? "",
    expected,
    missing,
    members,
    redacted: tags.some((tag) => tag.redacted),
  };
}

/** Whether what a user wrote names this group: its id, with or without the beginning of its run. */
export function namesGroup(text: string, { backupId, name, origin }: BackupGroup): boolean {
  if (text === backupId || text === name) return true;
  const digits = text.startsWith(`${backupId}.`) ? text.slice(backupId.length + 1) : "";
  return digits.length >= LEAST_RUN_DIGITS && (origin.run?.startsWith(digits) ?? false);
}

/**
 * Finds the group to work on: the one named, else the newest complete one, else the newest.
 *
 * @param groups newest first, as of {@linkcode deriveGroups}
 * @throws {BackupGroupError} when there is none of that name, several, or none at all
 */
export function selectGroup(groups: readonly BackupGroup[], backupId?: string): BackupGroup {
  if (backupId === undefined) {
    const group = groups.find((candidate) => candidate.status === "complete") ?? groups[0];
    if (group === undefined) throw new BackupGroupError("no backup groups found in repository");
    return group;
  }
  const [group, ...others] = groups.filter((candidate) => namesGroup(backupId, candidate));
  if (group !== undefined && others.length === 0) return group;
  if (group !== undefined) {
    throw new BackupGroupError(
      `${others.length + 1} backup groups have the id ${backupId}: choose one of them by its ` +
        `longer id\n${listed("Groups of that id:", [group, ...others])}`,
    );
  }
  if (groups.length === 0) {
    throw new BackupGroupError(
      `backup group not found: ${backupId} (repository contains no backup groups)`,
    );
  }
  throw new BackupGroupError(
    `backup group not found: ${backupId}\n${listed("Available groups:", groups)}`,
  );
}

/** As the Go tool lists them; whose they are is told where that differs. */
function listed(heading: string, groups: readonly BackupGroup[]): string {
  const areSeveral = new Set(groups.map(({ origin }) => showOrigin(origin))).size > 1;
  const lines = groups.map(({ name, date, status, origin }) =>
    `\n  ${name} (${formatLocalTime(date)}, ${status}` +
    `${areSeveral ? `, ${showOrigin(origin)}` : ""})`
  );
  return heading + lines.join("");
}
