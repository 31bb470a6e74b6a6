import type { Deployment } from "../deployment/mod.ts";
import type { Credentials } from "./credentials.ts";
import { readDeploymentId } from "../neo4j/mod.ts";
import { checkDeploymentName, type DeploymentIdentity, type Place } from "../origin/mod.ts";

/** What is known of a deployment before it is asked. */
export interface IdentifyOptions {
  readonly deployment: Deployment;
  readonly credentials: Credentials;
  /** Name that the user has given it. */
  readonly name?: string;
  /** Host on which the tool runs: where containers are, unless Docker tells of another. */
  readonly hostname: string;
}

/**
 * Finds out which deployment is connected, to tell its backups from those of others. What cannot be
 * asked is left open: a deployment that is down is one that may have to be restored.
 *
 * @throws {InvalidInputError} when the given name cannot be used
 */
export async function identifyDeployment(options: IdentifyOptions): Promise<DeploymentIdentity> {
  const { deployment, credentials, name, hostname } = options;
  if (name !== undefined) checkDeploymentName(name);
  const [place, infrahubId] = await Promise.all([
    findPlace(deployment, hostname),
    readDeploymentId(deployment, credentials.neo4j),
  ]);
  return {
    ...(name === undefined ? {} : { name }),
    place,
    ...(infrahubId === undefined ? {} : { infrahubId }),
  };
}

/**
 * Where a deployment runs, which no service of it has to be asked for.
 *
 * @param hostname host on which the tool runs
 */
export async function findPlace(
  { environment, signal }: Pick<Deployment, "environment" | "signal">,
  hostname: string,
): Promise<Place> {
  const { kind, target } = environment;
  // A run in a cluster has the name of its pod for a host, which is another one each time.
  const host = kind === "kubernetes" ? {} : { host: hostname };
  return { kind, target, ...host, ...await environment.place?.(signal) };
}
