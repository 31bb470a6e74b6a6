import {
  type BackupOrigin,
  type DeploymentIdentity,
  isOfDeployment,
  namesOrigin,
} from "../origin/mod.ts";
import type { BackupGroup } from "./group.ts";

/** A deployment that backups are chosen for. */
export interface DeploymentInHand {
  /** Undefined for dumps that nobody has said the deployment of. */
  readonly deployment?: DeploymentIdentity;
  /** Host on which the tool runs. */
  readonly host: string;
}

/** Whether a backup is of the deployment in hand; see {@linkcode isOfDeployment}. */
export function belongs(
  origin: BackupOrigin,
  { deployment, host }: DeploymentInHand,
): ReturnType<typeof isOfDeployment> {
  if (deployment === undefined) {
    return origin.deployment === undefined && origin.host === host ? "host alone" : "no";
  }
  const hosts = [host, ...(deployment.place?.host === undefined ? [] : [deployment.place.host])];
  return isOfDeployment(origin, deployment, hosts);
}

/** The backups of the deployment in hand, in the order in which they are given. */
export function ownGroups(
  groups: readonly BackupGroup[],
  inHand: DeploymentInHand,
): BackupGroup[] {
  return groups.filter(({ origin }) => belongs(origin, inHand) !== "no");
}

/** Which backups of a repository are looked at. */
export interface OriginFilter {
  /** Name of a deployment, as listings show it or as it was given. */
  readonly deployment?: string;
  /** Compose project. */
  readonly project?: string;
  readonly namespace?: string;
}

/** Whether a backup passes a filter; one of which the deployment is not known passes none but its host's. */
export function passesFilter(
  origin: BackupOrigin,
  { deployment, project, namespace }: OriginFilter,
): boolean {
  const { kind, target } = origin.deployment?.place ?? {};
  return (deployment === undefined || namesOrigin(deployment, origin)) &&
    (project === undefined || kind === "docker" && target === project) &&
    (namespace === undefined || kind === "kubernetes" && target === namespace);
}
