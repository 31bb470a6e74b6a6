import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type BackupGroup, formatLocalTime, listGroups, shortId } from "../../../infrahub/mod.ts";
import { openForSnapshots, type SessionProvider } from "../../session/mod.ts";

/** Widths of the columns; the last one is free. */
const WIDTHS = [20, 25, 10, 17, 14] as const;
const HEADER = ["BACKUP ID", "DATE", "STATUS", "INFRAHUB VERSION", "NEO4J EDITION", "COMPONENTS"];

/** Adds `snapshots list`. */
export function addSnapshotsList(snapshots: CommandUnknownOpts, session: SessionProvider): void {
  snapshots.command("list")
    .description("List the backups in a repository, newest first")
    .action(async () => {
      const current = session();
      await using repository = await openForSnapshots(current, "list");
      const groups = await listGroups(repository, current.reporter);
      if (groups.length === 0) {
        // In JSON as well: scripts written for the Go tool expect an empty output.
        current.reporter.info("No backups found in repository");
      } else if (current.json) {
        // Not one line with a type, as everything else: this is the Go tool's output.
        current.context.writeOut(JSON.stringify(groups.map(groupJson), null, 2) + "\n");
      } else {
        current.context.writeOut(groupTable(groups));
      }
    });
}

/** The listing for people. */
export function groupTable(groups: readonly BackupGroup[]): string {
  const rows = groups.map((group) => [
    group.backupId,
    formatLocalTime(group.date),
    group.status,
    group.infrahubVersion,
    group.neo4jEdition,
    [...new Set(group.members.map((member) => member.component))].join(", "),
  ]);
  return [HEADER, ...rows].map((cells) =>
    cells.map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0)).join("  ").trimEnd() + "\n"
  ).join("");
}

/** A group in the JSON listing. */
export function groupJson(group: BackupGroup) {
  return {
    backup_id: group.backupId,
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
  };
}
