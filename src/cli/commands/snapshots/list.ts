import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  type BackupGroup,
  clockDoubt,
  formatLocalTime,
  listGroups,
  namesGroup,
  originFields,
  type OriginFilter,
  passesFilter,
  shortId,
  showOrigin,
} from "../../../infrahub/mod.ts";
import {
  deploymentName,
  openForSnapshots,
  type Session,
  type SessionProvider,
} from "../../session/mod.ts";

/** Widths of the columns; the last one is free. Those of the Go tool come first and as it has them. */
const WIDTHS = [20, 25, 10, 17, 14, 25] as const;
const HEADER = [
  "BACKUP ID",
  "DATE",
  "STATUS",
  "INFRAHUB VERSION",
  "NEO4J EDITION",
  "COMPONENTS",
  "ORIGIN",
];

/** Adds `snapshots list`. */
export function addSnapshotsList(snapshots: CommandUnknownOpts, session: SessionProvider): void {
  snapshots.command("list")
    .description(
      "List the backups in a repository, newest first; only those of --deployment, --project, " +
        "--k8s-namespace or --backup-id where these are given",
    )
    .action(async () => {
      const current = session();
      await using repository = await openForSnapshots(current, "list");
      const all = await listGroups(repository, current.reporter);
      const groups = filtered(current, all);
      const now = new Date();
      for (const group of groups) {
        const doubt = clockDoubt(group, now);
        if (doubt !== undefined) current.reporter.warn(doubt);
      }
      if (groups.length < all.length) {
        current.reporter.info(
          `${
            all.length - groups.length
          } of ${all.length} backups are not listed: they are not what ` +
            "was asked for",
        );
      } else if (groups.length === 0) {
        // In JSON as well: scripts written for the Go tool expect an empty output.
        current.reporter.info("No backups found in repository");
      }
      if (groups.length === 0) return;
      if (current.json) {
        // Not one line with a type, as everything else: this is the Go tool's output.
        current.context.writeOut(JSON.stringify(groups.map(groupJson), null, 2) + "\n");
      } else {
        current.context.writeOut(groupTable(groups));
      }
    });
}

/**
 * The backups that were asked for. What a variable says of the deployment that other commands are for
 * does not hide backups; what stands on the command line is meant.
 */
function filtered(session: Session, groups: readonly BackupGroup[]): readonly BackupGroup[] {
  const { globals: { backupId, project, k8sNamespace }, isGiven } = session;
  const deployment = deploymentName(session);
  const filter: OriginFilter = {
    ...(deployment !== undefined && isGiven("deployment") ? { deployment } : {}),
    ...(project && isGiven("project") ? { project } : {}),
    ...(k8sNamespace && isGiven("k8sNamespace") ? { namespace: k8sNamespace } : {}),
  };
  return groups.filter((group) =>
    passesFilter(group.origin, filter) && (!backupId || namesGroup(backupId, group))
  );
}

/** The listing for people. */
export function groupTable(groups: readonly BackupGroup[]): string {
  const rows = groups.map((group) => [
    group.name,
    formatLocalTime(group.date),
    group.status,
    group.infrahubVersion,
    group.neo4jEdition,
    [...new Set(group.members.map((member) => member.component))].join(", "),
    showOrigin(group.origin),
  ]);
  return [HEADER, ...rows].map((cells) =>
    cells.map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0)).join("  ").trimEnd() + "\n"
  ).join("");
}

/** A group in the JSON listing. */
export function groupJson(group: BackupGroup) {
  return {
    backup_id: group.name,
    date: formatLocalTime(group.date),
    status: group.status,
    infrahub_version: group.infrahubVersion,
    neo4j_edition: group.neo4jEdition,
    components: group.expected ?? null,
    snapshots: group.members.map((member) => ({
      snapshot_id: shortId(member.snapshotId),
      component: member.component,
    })),
    ...(group.redacted ? { redacted: true } : {}),
    origin: originFields(group.origin),
    ...(group.madeAfter === undefined ? {} : { made_after: group.madeAfter }),
  };
}
