import type { BackupOrigin } from "./backup_origin.ts";
import {
  type DeploymentIdentity,
  isSameDeployment,
  namesDeployment,
  showDeployment,
} from "./deployment_identity.ts";

/**
 * Whether a backup is of a deployment. One of which nothing but the host is known, as the Go tool
 * makes them, counts by that host: `host alone`. One that a newer tool made without being told of
 * what belongs to nobody.
 *
 * @param hosts hosts that the deployment may have been backed up from
 */
export function isOfDeployment(
  origin: BackupOrigin,
  deployment: DeploymentIdentity,
  hosts: readonly string[],
): "yes" | "host alone" | "no" {
  if (origin.deployment !== undefined) {
    return isSameDeployment(origin.deployment, deployment) ? "yes" : "no";
  }
  return origin.run === undefined && hosts.includes(origin.host) ? "host alone" : "no";
}

/** Whether what a user wrote means this origin; one without a deployment is meant by its host. */
export function namesOrigin(text: string, { deployment, host }: BackupOrigin): boolean {
  return deployment === undefined
    ? text === host || text === `?@${host}`
    : namesDeployment(text, deployment);
}

/** An origin for people; `?@host` where the deployment is not known, and `?` where nothing is. */
export function showOrigin({ deployment, host }: BackupOrigin): string {
  if (deployment !== undefined) return showDeployment(deployment);
  return host === "" ? "?" : `?@${host}`;
}
