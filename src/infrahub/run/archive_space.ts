import { captureCommand } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import type { Neo4jEdition } from "../component.ts";
import { type Deployment, DeploymentRefusedError, parseFreeSpace } from "../deployment/mod.ts";
import { formatSize } from "../show_values.ts";
import { describedClient, quoteSqlText, runSql } from "../postgres/mod.ts";
import type { Credentials } from "./credentials.ts";

/** What an archive is going to be made of. */
export interface ArchiveSpaceQuestion {
  /** Where it will lie, and the dumps beside it until it is written; may be missing yet. */
  readonly directory: string;
  readonly neo4jEdition: Neo4jEdition;
  readonly excludeTaskManager: boolean;
  /** Size of the stored objects, where they are backed up and it is known. */
  readonly storageBytes?: number;
  /** Size of the Neo4j store; undefined when it is not known, which has been warned of. */
  readonly neo4jBytes?: number;
}

const DF_TIMEOUT_MS = 60_000;

/**
 * Says how much space an archive takes on this host, the dumps included from which it is packed,
 * and compares that with what is free. What cannot be found out is passed over.
 *
 * Only an Enterprise backup is known to be as large as its store, so only that can be refused for
 * sure: a Community dump is compressed, and one of PostgreSQL has no indexes.
 *
 * @throws {DeploymentRefusedError} when the dumps cannot fit
 */
export async function checkArchiveSpace(
  deployment: Deployment,
  credentials: Credentials,
  { directory, neo4jEdition, excludeTaskManager, neo4jBytes: neo4j, storageBytes = 0 }:
    ArchiveSpaceQuestion,
): Promise<void> {
  const { reporter } = deployment;
  const postgres = excludeTaskManager ? 0 : await measurePostgres(deployment, credentials);
  const dumps = (neo4j ?? 0) + (postgres ?? 0) + storageBytes;
  if (dumps === 0) return;
  // The dumps and the archive are there at the same time.
  const needed = 2 * dumps;
  const free = await freeSpace(deployment, directory);
  reporter.info(
    `The backup needs ${neo4j === undefined ? "Neo4j's dump and" : "up to"} ` +
      `${formatSize(needed)} in ${directory}` +
      (free === undefined ? "" : `, where ${formatSize(free)} are free`),
  );
  if (free === undefined || free >= needed) return;
  if (neo4jEdition === "enterprise" && neo4j !== undefined && free < neo4j) {
    throw new DeploymentRefusedError(
      `not enough space in ${directory} for the backup: ` +
        `${formatSize(needed)} needed, ${formatSize(free)} free`,
    );
  }
  reporter.warn(`The space in ${directory} may not suffice for the backup`);
}

async function measurePostgres(
  deployment: Deployment,
  credentials: Credentials,
): Promise<number | undefined> {
  const server = credentials.postgres();
  try {
    const output = await runSql(
      deployment,
      describedClient(deployment, server),
      server.database,
      `SELECT pg_database_size(${quoteSqlText(server.database)})`,
    );
    return /^\d+$/.test(output.trim()) ? Number(output) : undefined;
  } catch (error) {
    deployment.signal.throwIfAborted();
    deployment.reporter.debug(`Could not measure the PostgreSQL database: ${messageOf(error)}`);
    return undefined;
  }
}

async function freeSpace(
  { reporter, signal }: Deployment,
  directory: string,
): Promise<number | undefined> {
  try {
    const { stdout } = await captureCommand({
      argv: ["df", "-Pk", await existingParent(directory)],
      timeoutMs: DF_TIMEOUT_MS,
      signal,
    });
    return parseFreeSpace(stdout);
  } catch (error) {
    signal.throwIfAborted();
    reporter.debug(`Could not find out the free space of ${directory}: ${messageOf(error)}`);
    return undefined;
  }
}

/** The directory is made later, where its nearest existing parent is. */
async function existingParent(path: string): Promise<string> {
  for (let current = path; current.includes("/"); current = current.replace(/\/+[^/]*$/, "")) {
    const exists = await Deno.stat(current).then(() => true, () => false);
    if (exists) return current;
  }
  return path.startsWith("/") ? "/" : ".";
}
