import type { Repository } from "../../kloset/mod.ts";
import { clockDoubt } from "./clock_doubts.ts";
import { isComponent } from "../component.ts";
import { BackupGroupError, InvalidInputError } from "../errors.ts";
import { type BackupGroup, type GroupMember, namesGroup, selectGroup } from "./group.ts";
import { listGroups } from "./list.ts";
import {
  type BackupOrigin,
  identityName,
  isSameDeployment,
  namesDeployment,
  namesOrigin,
  parseOriginTags,
  showDeployment,
  showOrigin,
} from "../origin/mod.ts";
import { belongs, type DeploymentInHand, ownGroups } from "./own_groups.ts";
import type { Reporter } from "../reporter.ts";
import { shortId } from "../show_values.ts";
import { resolveSnapshot } from "./snapshot_id.ts";
import { parseTags } from "./tags.ts";
import { formatLocalTime } from "../timestamp.ts";

/** Which backup of a repository is wanted. */
export interface BackupChoice {
  readonly repository: Repository;
  /** The newest complete one when neither this nor `snapshot` is given. */
  readonly backupId?: string;
  /** Prefix of the id of the only snapshot that is wanted. */
  readonly snapshot?: string;
  /** Take a backup that lacks components. */
  readonly force: boolean;
  readonly reporter: Reporter;
  /**
   * The deployment that it is going to be restored into: the newest is the newest of its own. Not
   * given when it goes into a directory.
   */
  readonly into?: Required<DeploymentInHand>;
  /** Name of the deployment whose backup it has to be. */
  readonly from?: string;
}

/** The snapshots to restore. */
export interface SelectedBackup {
  /** Empty when a snapshot without a backup id was chosen. */
  readonly backupId: string;
  /** Full snapshot ids, one per component, in component order. */
  readonly ids: readonly string[];
  /** Whether a backup was chosen, and not one snapshot of it. */
  readonly isWhole: boolean;
  /** Whose it is. */
  readonly origin: BackupOrigin;
  readonly date: Date;
}

/**
 * Finds the snapshots to restore.
 *
 * @throws {InvalidInputError} when the choice is contradictory, or names no snapshot of a component
 * @throws {BackupGroupError} when the backup does not exist, is incomplete and not forced, or is
 * another deployment's and not asked for as such
 */
export async function selectBackup(choice: BackupChoice): Promise<SelectedBackup> {
  const { repository, reporter, snapshot, backupId } = choice;
  if (snapshot !== undefined && backupId !== undefined) {
    throw new InvalidInputError("--snapshot and --backup-id cannot be used together");
  }
  if (snapshot !== undefined) return await selectSnapshot(snapshot, choice);
  const group = findGroup(await listGroups(repository, reporter), choice);
  const members = newestOfEach(group, choice);
  reporter.info("Restoring from backup group", {
    backup_id: group.name,
    status: group.status,
    components: members.length,
    origin: showOrigin(group.origin),
  });
  if (group.status === "incomplete") {
    const missing = `incomplete (missing: ${group.missing.join(", ")})`;
    if (!choice.force) {
      throw new BackupGroupError(
        `backup group ${group.name} is ${missing}; use --force to restore available components`,
      );
    }
    reporter.warn(`Backup group ${group.name} is ${missing}`);
  }
  const ids = members.map((member) => member.snapshotId);
  const { name, origin, date } = group;
  return { backupId: name, ids, isWhole: true, origin, date };
}

/** The group that is named, else the newest of whom it is looked for. */
function findGroup(groups: readonly BackupGroup[], choice: BackupChoice): BackupGroup {
  const { into, from, backupId, reporter } = choice;
  if (into === undefined) {
    const wanted = from === undefined ? groups : groups.filter((g) => namesOrigin(from, g.origin));
    if (wanted.length === 0 && groups.length > 0) {
      throw new BackupGroupError(`no backup groups of ${from} found${others(groups)}`);
    }
    const group = selectGroup(wanted, backupId);
    if (backupId === undefined) tellChoice(group, wanted, reporter);
    warnOfDoubts(group, wanted, choice);
    return group;
  }
  const own = ownGroups(groups, into);
  if (backupId !== undefined) {
    const named = groups.filter((group) => namesGroup(backupId, group));
    const wanted = from === undefined
      ? named.filter((group) => own.includes(group))
      : named.filter((group) => namesOrigin(from, group.origin));
    const group = selectGroup(wanted.length > 0 ? wanted : groups, backupId);
    requireAllowed(`backup group ${group.name}`, group.origin, choice, into);
    warnOfDoubts(group, [], choice);
    return group;
  }
  const isOwn = from === undefined || namesDeployment(from, into.deployment) ||
    own.some(({ origin }) => namesOrigin(from, origin));
  if (!isOwn) {
    const theirs = groups.filter(({ origin }) => namesOrigin(from, origin));
    throw new BackupGroupError(
      theirs.length === 0
        ? `no backup groups of ${from} found${others(groups)}`
        : `${from} is another deployment than ${
          showDeployment(into.deployment)
        }: name its backup ` +
          `as well, the newest by --backup-id ${selectGroup(theirs).name}`,
    );
  }
  if (own.length === 0 && groups.length > 0) {
    throw new BackupGroupError(
      `no backup groups of this deployment (${showDeployment(into.deployment)}) found` +
        `${others(groups)}\nTo restore one of them here, name it and whose it is: ` +
        "--backup-id <id> --from-deployment <name>",
    );
  }
  const group = selectGroup(own);
  requireOneDeployment(group, own, into);
  requireAllowed(`backup group ${group.name}`, group.origin, choice, into);
  warnOfDoubts(group, own, choice);
  return group;
}

/**
 * Where only names tell where a deployment runs, and Infrahub's id cannot be read at the moment, two
 * clusters may have the same.
 */
function requireOneDeployment(
  { origin, name }: BackupGroup,
  own: readonly BackupGroup[],
  into: Required<DeploymentInHand>,
): void {
  const other = own.find((group) =>
    group.origin.deployment !== undefined && origin.deployment !== undefined &&
    !isSameDeployment(group.origin.deployment, origin.deployment)
  );
  if (other === undefined) return;
  throw new BackupGroupError(
    `several deployments called ${showDeployment(into.deployment)} have backups here, and the id ` +
      "of the connected one cannot be read to tell which of them it is: name the backup by " +
      `--backup-id, such as ${name} (Infrahub id ${origin.deployment?.infrahubId}) or ` +
      `${other.name} (Infrahub id ${other.origin.deployment?.infrahubId})`,
  );
}

/**
 * Lets another deployment's backup pass only when it was asked for as such.
 *
 * @param what the backup, in words
 * @throws {BackupGroupError} when it is another's
 */
export function requireAllowed(
  what: string,
  origin: BackupOrigin,
  { from, reporter }: Pick<BackupChoice, "from" | "reporter">,
  into: Required<DeploymentInHand>,
): void {
  const whose = showOrigin(origin);
  const here = showDeployment(into.deployment);
  const belonging = belongs(origin, into);
  if (from !== undefined && !namesOrigin(from, origin)) {
    const isHere = belonging !== "no" && namesDeployment(from, into.deployment);
    if (!isHere) throw new BackupGroupError(`${what} is of ${whose}, not of ${from}`);
  }
  if (belonging === "yes") {
    const then = origin.deployment?.infrahubId;
    const now = into.deployment.infrahubId;
    if (then !== undefined && now !== undefined && then !== now) {
      reporter.warn(
        `Infrahub's id was ${then} when ${what} was made, and is ${now} now: it has been set anew ` +
          "since, or Infrahub was installed anew, or restored from another deployment",
      );
    }
  } else if (origin.deployment === undefined) {
    reporter.warn(
      `The deployment that ${what} was made of was not recorded, only the host: ${origin.host}. ` +
        `Make sure that it is of ${here}`,
    );
  } else if (from === undefined) {
    const { infrahubId } = origin.deployment;
    const isMoved = infrahubId !== undefined && infrahubId === into.deployment.infrahubId;
    throw new BackupGroupError(
      `${what} is of another deployment: ${whose}, and the connected one is ${here}; use ` +
        `--from-deployment ${quoted(identityName(origin.deployment))} to restore it all the same` +
        (isMoved
          ? `. Both have the same Infrahub id: if the deployment was moved or renamed, give it a ` +
            "name that stays, by --deployment"
          : ""),
    );
  } else {
    reporter.warn(`Restoring a backup of ${whose} into ${here}, as --from-deployment asks`);
  }
}

function quoted(name: string): string {
  return /^[\w@.:/-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}

/** The newest backup of each deployment, to choose from. */
function others(groups: readonly BackupGroup[]): string {
  const newest = Map.groupBy(groups, ({ origin }) => showOrigin(origin));
  const lines = [...newest].map(([whose, [group]]) =>
    `\n  ${group?.name} (${
      formatLocalTime(group?.date ?? new Date(0))
    }, ${group?.status}, ${whose})`
  );
  return `\nNewest backups of others:${lines.join("")}`;
}

/** Says which backup is the newest where there are those of several deployments. */
function tellChoice(
  group: BackupGroup,
  groups: readonly BackupGroup[],
  reporter: Reporter,
): void {
  const names = new Set(groups.map(({ origin }) => showOrigin(origin)));
  if (names.size < 2) return;
  reporter.warn(
    `The repository holds backups of ${names.size} deployments (${[...names].join(", ")}): the ` +
      `newest of all is ${group.name} of ${showOrigin(group.origin)}; choose by --deployment or ` +
      "--backup-id",
  );
}

/** @param candidates those among which it was the newest */
function warnOfDoubts(
  group: BackupGroup,
  candidates: readonly BackupGroup[],
  { reporter }: BackupChoice,
): void {
  const now = new Date();
  const later = candidates.filter(({ madeAfter }) => madeAfter === group.name);
  for (const one of [group, ...later]) {
    const doubt = clockDoubt(one, now);
    if (doubt !== undefined) reporter.warn(doubt);
  }
}

async function selectSnapshot(prefix: string, choice: BackupChoice): Promise<SelectedBackup> {
  const { repository, reporter, into, from } = choice;
  const id = resolveSnapshot(repository, prefix);
  const { header } = await repository.openSnapshot(id);
  const { backupId = "", component = "" } = parseTags(header.tags);
  if (!isComponent(component)) {
    throw new InvalidInputError(`unknown component type in snapshot: ${component}`);
  }
  const origin = parseOriginTags(header.tags, header.importer.origin);
  const what = `snapshot ${shortId(id)}`;
  if (into !== undefined) {
    requireAllowed(what, origin, choice, into);
  } else if (from !== undefined && !namesOrigin(from, origin)) {
    throw new BackupGroupError(`${what} is of ${showOrigin(origin)}, not of ${from}`);
  }
  reporter.info("Restoring from single Plakar snapshot", {
    snapshot_id: shortId(id),
    date: formatLocalTime(header.timestamp),
    name: header.name,
    origin: showOrigin(origin),
  });
  return { backupId, ids: [id], isWhole: false, origin, date: header.timestamp };
}

/**
 * A component that was stored again by the same run replaces the earlier one. Without a run it may
 * have been another: earlier versions let two that began in the same second share one id.
 */
function newestOfEach(group: BackupGroup, { force, reporter }: BackupChoice): GroupMember[] {
  const newest = new Map<string, GroupMember>();
  for (const member of group.members) {
    const earlier = newest.get(member.component);
    newest.set(member.component, member);
    if (earlier === undefined) continue;
    if (group.origin.run === undefined && !force) {
      throw new BackupGroupError(
        `backup group ${group.name} has several ${member.component} snapshots, and does not say ` +
          "which of them belong together: two runs may have made them at the same time. Restore " +
          "single ones by --snapshot, or the newest of each component by --force",
      );
    }
    reporter.warn(
      `Backup group ${group.name} has several ${member.component} snapshots: ` +
        `${shortId(member.snapshotId)} is used, ${shortId(earlier.snapshotId)} is not`,
    );
  }
  return [...newest.values()];
}
