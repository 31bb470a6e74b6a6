import type { CreatedArchive } from "./archive_backup.ts";
import { isShrunken, type Shrinkage } from "../shrinkage.ts";

const NAME = /^infrahub_backup_(\d{8}_\d{6})\.tar\.gz(\.enc)?$/;

/**
 * Compares a new archive with the newest one before it in its directory, as a whole: an archive
 * does not tell the sizes of its dumps without being read.
 *
 * @param percent by how many percent it may be smaller; 0 for any
 */
export async function findShrunkenArchive(
  archive: CreatedArchive,
  percent: number,
): Promise<Shrinkage[]> {
  if (percent === 0) return [];
  const directory = archive.path.slice(0, archive.path.lastIndexOf("/")) || "/";
  let earlierBackupId = "";
  let name = "";
  for await (const entry of Deno.readDir(directory)) {
    const id = entry.isFile ? NAME.exec(entry.name)?.[1] : undefined;
    if (id === undefined || id >= archive.backupId || id <= earlierBackupId) continue;
    earlierBackupId = id;
    name = entry.name;
  }
  if (name === "") return [];
  const { size: earlierBytes } = await Deno.stat(`${directory}/${name}`);
  return isShrunken(archive.bytes, earlierBytes, percent)
    ? [{ what: "archive", bytes: archive.bytes, earlierBytes, earlierBackupId }]
    : [];
}
