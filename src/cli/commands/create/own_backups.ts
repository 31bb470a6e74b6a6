import { ArchiveRecords, type DeploymentIdentity } from "../../../infrahub/mod.ts";
import { cacheDirectory, deploymentName, type Session } from "../../session/mod.ts";

/**
 * The deployment of dumps that are not made by this program: the one that the user names. Nobody else
 * can tell.
 */
export function givenDeployment(session: Session): DeploymentIdentity | undefined {
  const name = deploymentName(session);
  return name === undefined ? undefined : { name };
}

/** What this host knows of the archives that it has made; nothing where it has no place for that. */
export function archiveRecords(session: Session): { readonly records?: ArchiveRecords } {
  const directory = cacheDirectory(session);
  return directory === undefined ? {} : { records: new ArchiveRecords(directory) };
}
