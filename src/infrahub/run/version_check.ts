import { messageOf } from "../../errors/mod.ts";
import { compareVersions, type DataFacts, versionNumbers } from "../data_facts.ts";
import {
  type DatabaseCredentials,
  type Deployment,
  DeploymentError,
  DeploymentRefusedError,
  detectGraphVersion,
  detectInfrahubVersion,
  SERVER,
  UNKNOWN_VERSION,
} from "../deployment/mod.ts";
import type { RestoreMaterial } from "../dump/mod.ts";
import { readGraphVersion, readNeo4jVersion } from "../neo4j/mod.ts";
import { NO_SERVER_OF_ITS_OWN } from "../tasks/mod.ts";

/** Program that migrates the graph; it is Infrahub's own. */
export const MIGRATION = "infrahub upgrade";

/** What is known of a restored graph and Infrahub's code. */
export interface GraphFit {
  /**
   * Whether Infrahub has to migrate the graph: "possible" where its version is not known, and
   * "unasked" where the code's is not.
   */
  readonly migration: "none" | "due" | "possible" | "unasked";
  /** Why, as the end of a sentence in brackets; empty where nothing is to be said. */
  readonly reason: string;
}

const FITS: GraphFit = { migration: "none", reason: "" };

/**
 * Compares the graph of a backup with the one that the deployment's Infrahub works with. An older one
 * can be migrated, by {@linkcode MIGRATION}, and Infrahub does not do that by itself; what a newer one
 * means, its code cannot know. Without a record of the graph's version the versions of Infrahub have
 * to do: patch releases change the graph as well, so that they prove nothing where they differ.
 *
 * @throws {DeploymentRefusedError} for a newer one, which is not forced
 */
export async function checkGraph(
  deployment: Deployment,
  { data = {}, infrahubVersion }: RestoreMaterial,
  force: boolean,
): Promise<GraphFit> {
  if (data.graph === undefined) {
    return await compareReleases(deployment, infrahubVersion, force);
  }
  const expected = await detectGraphVersion(deployment);
  if (expected === undefined) {
    deployment.reporter.warn(
      `Whether Infrahub knows the graph of the backup, of version ${data.graph}, has not been ` +
        "checked; it is asked again once it runs",
    );
    return { migration: "unasked", reason: `its graph is of version ${data.graph}` };
  }
  const fit = compareGraphs(data.graph, expected);
  if (fit === "newer") {
    refuseUnlessForced(
      deployment,
      `the graph of the backup is of version ${data.graph}, and the deployment's Infrahub only ` +
        `knows those up to version ${expected}`,
      force,
    );
    return FITS;
  }
  return fit;
}

/**
 * Asks once more what could not be asked before, now that Infrahub runs.
 *
 * @param graph version of the graph that has been restored
 */
export async function checkRestoredGraph(
  deployment: Deployment,
  graph: number,
): Promise<GraphFit> {
  const expected = await detectGraphVersion(deployment);
  const fit = expected === undefined ? undefined : compareGraphs(graph, expected);
  if (fit === undefined) {
    return { migration: "possible", reason: `its graph is of version ${graph}` };
  }
  if (fit === "newer") {
    deployment.reporter.warn(
      `The restored graph is of version ${graph}, and Infrahub only knows those up to version ` +
        `${expected}: install the version of Infrahub that the backup is of`,
    );
    return FITS;
  }
  return fit;
}

function compareGraphs(graph: number, expected: number): GraphFit | "newer" {
  if (graph > expected) return "newer";
  if (graph === expected) return FITS;
  return {
    migration: "due",
    reason: `its graph is of version ${graph}, and Infrahub expects version ${expected}`,
  };
}

async function compareReleases(
  deployment: Deployment,
  infrahubVersion: string,
  force: boolean,
): Promise<GraphFit> {
  const unknown: GraphFit = {
    migration: "possible",
    reason: "the version of its graph was not recorded",
  };
  const recorded = versionNumbers(infrahubVersion);
  if (recorded.length < 2) return unknown;
  const running = await detectInfrahubVersion(deployment);
  const target = running === UNKNOWN_VERSION ? [] : versionNumbers(running);
  if (target.length < 2) return unknown;
  const problem = `the backup is of Infrahub ${infrahubVersion}, ` +
    `which is newer than the running ${running}`;
  if (compareVersions(recorded.slice(0, 2), target.slice(0, 2)) > 0) {
    refuseUnlessForced(deployment, problem, force);
    return unknown;
  }
  const difference = compareVersions(recorded, target);
  if (difference > 0) {
    deployment.reporter.warn(
      `${problem}: its graph may be newer than what that knows, which has not been recorded`,
    );
  }
  return difference === 0 ? FITS : {
    migration: "possible",
    reason: `it is of Infrahub ${infrahubVersion}, and ${running} runs`,
  };
}

/**
 * Compares the Neo4j server with the one that a backup was made on: no store can be taken to an older
 * line of Neo4j. What cannot be asked has been warned of.
 *
 * @throws {DeploymentRefusedError} when the server is of an older line, and that is not forced
 */
export async function checkNeo4jVersion(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  { neo4j: recorded }: DataFacts,
  force: boolean,
): Promise<void> {
  if (recorded === undefined) return;
  const running = await readNeo4jVersion(deployment, credentials);
  if (running === undefined) {
    deployment.reporter.warn(
      `Whether Neo4j can take a backup of Neo4j ${recorded} has not been checked`,
    );
    return;
  }
  const [from, to] = [recorded, running].map(versionNumbers);
  if (from === undefined || to === undefined || compareVersions(from, to) <= 0) return;
  const problem = `the backup is of Neo4j ${recorded}, and the server is Neo4j ${running}, ` +
    "which is older";
  if (compareVersions(from.slice(0, 2), to.slice(0, 2)) > 0) {
    refuseUnlessForced(deployment, problem, force);
  } else deployment.reporter.warn(problem);
}

/**
 * Has Infrahub migrate the restored graph, and looks whether it did. Its server has to run, and its
 * workers must not.
 *
 * @throws {DeploymentError} when it fails, or leaves the graph as it was
 */
export async function migrateGraph(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<void> {
  const { environment, reporter, signal } = deployment;
  reporter.info(`Migrating the graph (${MIGRATION})...`);
  let output: string;
  try {
    // It takes as long as there is data to be changed.
    output = await environment.run(SERVER, MIGRATION.split(" "), {
      env: NO_SERVER_OF_ITS_OWN,
      signal,
      timeoutMs: 0,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new DeploymentError(
      `the data is restored, and "${MIGRATION}" has failed: ${messageOf(error)}`,
      { cause: error },
    );
  }
  reporter.debug(`${MIGRATION}: ${output.trim()}`);
  const graph = await readGraphVersion(deployment, credentials);
  const expected = await detectGraphVersion(deployment);
  if (graph === undefined || expected === undefined) {
    reporter.warn(`"${MIGRATION}" has succeeded; what it did could not be checked`);
    return;
  }
  if (graph < expected) {
    throw new DeploymentError(
      `the data is restored, and "${MIGRATION}" has left the graph at version ${graph}, where ` +
        `Infrahub expects version ${expected}: ${output.trim()}`,
    );
  }
  reporter.info(`Graph migrated: version ${graph}`);
}

function refuseUnlessForced({ reporter }: Deployment, problem: string, force: boolean): void {
  if (!force) {
    throw new DeploymentRefusedError(`${problem}; use --force to restore it all the same`);
  }
  reporter.warn(`${problem}: restored all the same, as --force asks`);
}
