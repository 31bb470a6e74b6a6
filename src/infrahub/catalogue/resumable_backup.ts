import type { Repository } from "../../kloset/mod.ts";
import { isComponent } from "../component.ts";
import { BackupGroupError } from "../errors.ts";
import { type BackupGroup, selectGroup } from "./group.ts";
import { listGroups } from "./list.ts";
import type { Reporter } from "../reporter.ts";

/**
 * Finds an incomplete backup, to which the missing components are going to be added.
 *
 * @throws {BackupGroupError} when there is none of that id, it lacks nothing, or it does not say
 * what it should have
 */
export async function findResumable(
  repository: Repository,
  backupId: string,
  reporter: Reporter,
): Promise<BackupGroup> {
  const group = selectGroup(await listGroups(repository, reporter), backupId);
  if (group.expected === undefined || !group.expected.every(isComponent)) {
    throw new BackupGroupError(
      `backup group ${backupId} cannot be resumed: its snapshots do not say which components ` +
        "it should have",
    );
  }
  if (group.status === "complete") {
    throw new BackupGroupError(`backup group ${backupId} is complete: there is nothing to resume`);
  }
  return group;
}
