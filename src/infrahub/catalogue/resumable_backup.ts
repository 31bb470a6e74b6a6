import type { Repository } from "../../kloset/mod.ts";
import { isComponent } from "../component.ts";
import { BackupGroupError } from "../errors.ts";
import { type BackupGroup, namesGroup, selectGroup } from "./group.ts";
import { listGroups } from "./list.ts";
import { showDeployment, showOrigin } from "../origin/mod.ts";
import { belongs, type DeploymentInHand, ownGroups } from "./own_groups.ts";
import type { Reporter } from "../reporter.ts";

/**
 * Finds an incomplete backup, to which the missing components are going to be added.
 *
 * @param inHand the deployment that is backed up: nothing of it goes into another one's backup
 * @throws {BackupGroupError} when there is none of that id, it is another deployment's, it lacks
 * nothing, or it does not say what it should have
 */
export async function findResumable(
  repository: Repository,
  backupId: string,
  reporter: Reporter,
  inHand?: Required<DeploymentInHand>,
): Promise<BackupGroup> {
  const groups = await listGroups(repository, reporter);
  const own = inHand === undefined ? groups : ownGroups(groups, inHand);
  const isOwn = own.some((group) => namesGroup(backupId, group));
  const group = selectGroup(isOwn ? own : groups, backupId);
  if (inHand !== undefined) {
    const belonging = belongs(group.origin, inHand);
    if (belonging === "no") {
      throw new BackupGroupError(
        `backup group ${backupId} cannot be resumed: it is of ${
          showOrigin(group.origin)
        }, and the ` +
          `connected deployment is ${showDeployment(inHand.deployment)}`,
      );
    }
    if (belonging === "host alone") {
      reporter.warn(
        `The deployment that backup group ${backupId} was made of was not recorded, only the host: ` +
          `${group.origin.host}. Make sure that it is of ${showDeployment(inHand.deployment)}`,
      );
    }
  }
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
