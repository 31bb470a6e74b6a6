/**
 * Whose a backup is: the deployment that it was made of, the host and the run that made it; how that
 * is written into tags and metadata, and when two descriptions are of one deployment. Nothing here
 * reaches a deployment or a repository.
 *
 * @module
 */

export {
  checkDeploymentName,
  type DeploymentIdentity,
  identityName,
  isSameDeployment,
  isSamePlace,
  namesDeployment,
  type Place,
  showDeployment,
} from "./deployment_identity.ts";
export {
  type BackupOrigin,
  newRunId,
  type OriginFields,
  originFields,
  originTags,
  parseOriginTags,
  readOriginFields,
} from "./backup_origin.ts";
export { isOfDeployment, namesOrigin, showOrigin } from "./belonging.ts";
