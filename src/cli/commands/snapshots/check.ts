import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  type CheckReport,
  checkSnapshots,
  InfrahubBackupError,
  originFields,
  shortId,
  showOrigin,
} from "../../../infrahub/mod.ts";
import { EXIT_INCOMPLETE } from "../../process/mod.ts";
import { writeJson } from "../../report/mod.ts";
import { openForSnapshots, type SessionProvider } from "../../session/mod.ts";
import { UsageError } from "../../syntax/mod.ts";

/** Adds `snapshots check`. */
export function addSnapshotsCheck(snapshots: CommandUnknownOpts, session: SessionProvider): void {
  snapshots.command("check")
    .description(
      "Verify snapshots, all of them by default; exits with 1 when any is damaged, with 4 when none " +
        "is, but a backup lacks components",
    )
    .argument("[ids...]", "snapshot IDs, or the beginnings of them")
    .option("--fast", "check the structure only, not the content of every chunk")
    .option(
      "--dumps",
      "look into every dump to its end, which reads it once more (default: into its beginning)",
    )
    .action(async (ids, options) => {
      const current = session();
      const { context, globals, reporter } = current;
      const wanted = globals.snapshot ? [...ids, globals.snapshot] : ids;
      if (wanted.length > 0 && globals.backupId) {
        throw new UsageError(
          ids.length > 0
            ? "snapshot IDs and --backup-id cannot be used together"
            : "--snapshot and --backup-id cannot be used together",
        );
      }
      const fast = options.fast ?? false;
      await using repository = await openForSnapshots(current, "check");
      const report = await checkSnapshots({
        repository,
        ids: wanted,
        fast,
        dumps: options.dumps ?? false,
        reporter,
        signal: context.signal,
        ...(globals.backupId ? { backupId: globals.backupId } : {}),
      });
      if (current.json) writeJson(current, reportJson(report, fast));
      else context.writeOut(reportText(report, fast));
      const damaged = report.snapshots.filter((snapshot) => snapshot.damage.length > 0).length;
      if (report.damagedStates.length > 0) {
        throw new InfrahubBackupError(
          `${report.damagedStates.length} states are damaged: snapshots may be missing; ` +
            `${damaged} of ${report.snapshots.length} listed snapshots are damaged`,
        );
      }
      if (damaged > 0) {
        throw new InfrahubBackupError(
          `${damaged} of ${report.snapshots.length} snapshots are damaged`,
        );
      }
      if (report.incompleteGroups.length > 0) current.exitWith(EXIT_INCOMPLETE);
    });
}

/** The report for people: damage first, then the groups that it hits, then the verdict. */
export function reportText(report: CheckReport, fast: boolean): string {
  const lines = report.damagedStates.map((state) => `DAMAGED  state ${state.id}: ${state.message}`);
  for (const damage of report.damage) {
    const where = [
      `snapshot ${shortId(damage.snapshot)}`,
      damage.path,
      ...(damage.chunk === undefined ? [] : [`chunk ${damage.chunk}`]),
      ...(damage.packfile === undefined ? [] : [`packfile ${damage.packfile}`]),
    ];
    lines.push(`DAMAGED  ${where.join(", ")}: ${damage.message}`);
  }
  for (const group of report.damagedGroups) {
    lines.push(`Damaged backup ${group.backupId}: ${group.components.join(", ")}`);
  }
  for (const { name, missing, origin } of report.incompleteGroups) {
    lines.push(
      `Incomplete backup ${name} of ${showOrigin(origin)} (missing: ${missing.join(", ")}): ` +
        `"create --resume ${name}" adds what is missing`,
    );
  }
  const checked = `${report.snapshots.length} snapshots checked${fast ? " (structure only)" : ""}`;
  const verdict = isSound(report) ? "no damage found" : "damage found";
  const { length: incomplete } = report.incompleteGroups;
  lines.push(`${checked}: ${verdict}${incomplete > 0 ? `, ${incomplete} backups incomplete` : ""}`);
  return lines.join("\n") + "\n";
}

/** The report for programs. */
export function reportJson(report: CheckReport, fast: boolean) {
  return {
    fast,
    ok: isSound(report),
    snapshots: report.snapshots.map((snapshot) => ({
      snapshot_id: shortId(snapshot.snapshotId),
      backup_id: snapshot.backupId,
      component: snapshot.component,
      ok: snapshot.damage.length === 0,
    })),
    damage: report.damage.map((damage) => ({
      snapshot_id: shortId(damage.snapshot),
      path: damage.path,
      ...(damage.chunk === undefined ? {} : { chunk: damage.chunk }),
      ...(damage.packfile === undefined ? {} : { packfile: damage.packfile }),
      message: damage.message,
    })),
    damaged_states: report.damagedStates,
    damaged_groups: report.damagedGroups.map((group) => ({
      backup_id: group.backupId,
      components: group.components,
    })),
    incomplete_groups: report.incompleteGroups.map(({ name, missing, origin }) => ({
      backup_id: name,
      missing,
      origin: originFields(origin),
    })),
  };
}

function isSound(report: CheckReport): boolean {
  return report.damage.length === 0 && report.damagedStates.length === 0;
}
