import type { CreatedArchive } from "./archive_backup.ts";
import { type ArchiveFacts, type ArchiveRecords, readArchiveFacts } from "./archive_records.ts";
import { isOfDeployment } from "../origin/mod.ts";
import { isShrunken, type Shrinkage } from "../shrinkage.ts";

const NAME = /^infrahub_backup_(\d{8}_\d{6})\.tar\.gz(\.enc)?$/;

/** Where more is known of earlier archives than their names tell, and what ends the search. */
export interface EarlierArchives {
  readonly records?: ArchiveRecords;
  readonly signal?: AbortSignal;
}

/**
 * Compares a new archive with the newest one before it in its directory that is of the same
 * deployment and has the same components, as a whole: an archive does not tell the sizes of its dumps
 * without being read.
 *
 * @param percent by how many percent it may be smaller; 0 for any
 */
export async function findShrunkenArchive(
  archive: CreatedArchive,
  percent: number,
  earlier: EarlierArchives = {},
): Promise<Shrinkage[]> {
  if (percent === 0) return [];
  const directory = archive.path.slice(0, archive.path.lastIndexOf("/")) || "/";
  for (const { name, backupId: earlierBackupId } of await archivesBefore(archive, directory)) {
    const path = `${directory}/${name}`;
    const { size: earlierBytes } = await Deno.stat(path);
    const isSmaller = isShrunken(archive.bytes, earlierBytes, percent);
    const known = await earlier.records?.find(path, earlierBytes);
    // Reading an archive takes its time: done only where a warning depends on it. What cannot be read,
    // such as an encrypted one of another host, is compared.
    const facts = known ?? (isSmaller ? await readArchiveFacts(path, earlier.signal) : "not read");
    if (typeof facts !== "string" && !isComparable(archive, facts)) continue;
    return isSmaller
      ? [{ what: "archive", bytes: archive.bytes, earlierBytes, earlierBackupId }]
      : [];
  }
  return [];
}

/** The archives before one in its directory, newest first. */
async function archivesBefore(
  archive: CreatedArchive,
  directory: string,
): Promise<{ name: string; backupId: string }[]> {
  const found: { name: string; backupId: string }[] = [];
  for await (const { name, isFile } of Deno.readDir(directory)) {
    const backupId = isFile ? NAME.exec(name)?.[1] : undefined;
    if (backupId !== undefined && backupId < archive.backupId) found.push({ name, backupId });
  }
  return found.sort((a, b) => a.backupId < b.backupId ? 1 : -1);
}

function isComparable({ facts }: CreatedArchive, earlier: ArchiveFacts): boolean {
  if (facts === undefined) return true;
  const { components, origin: { deployment, host } } = facts;
  const hasSame = components.length === earlier.components.length &&
    components.every((component) => earlier.components.includes(component));
  if (!hasSame) return false;
  if (deployment === undefined) {
    return earlier.origin.deployment === undefined &&
      (earlier.origin.host === host || earlier.origin.host === "");
  }
  const hosts = [host, deployment.place?.host ?? host, ""];
  return isOfDeployment(earlier.origin, deployment, hosts) !== "no";
}
