import { messageOf } from "../../errors/mod.ts";
import type { Repository, SnapshotHeader } from "../../kloset/mod.ts";
import { type BackupGroup, deriveGroups } from "./group.ts";
import type { Reporter } from "../reporter.ts";
import { shortId } from "../show_values.ts";

/** Lists the backup groups of a repository, newest first; snapshots it cannot read are warned of. */
export async function listGroups(
  repository: Repository,
  reporter: Reporter,
): Promise<BackupGroup[]> {
  return deriveGroups(await readableHeaders(repository, reporter));
}

async function readableHeaders(
  repository: Repository,
  reporter: Reporter,
): Promise<readonly SnapshotHeader[]> {
  const { headers, unreadable } = await repository.snapshots();
  for (const { id, error } of unreadable) {
    reporter.warn(`Failed to load snapshot ${shortId(id)}: ${messageOf(error)}`);
  }
  return headers;
}
