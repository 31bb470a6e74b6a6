import {
  type CacheAccess,
  type DatabaseCredentials,
  type Deployment,
  findCacheAccess,
  findNeo4jCredentials,
  type ReadVariable,
} from "../deployment/mod.ts";
import { findPostgresServer, type PostgresServer } from "../postgres/mod.ts";

/** How to get into the databases of a deployment, and its cache. */
export interface Credentials {
  readonly cache: CacheAccess;
  readonly neo4j: DatabaseCredentials;
  /**
   * The description of PostgreSQL, for whoever is about to use it: a backup of the graph alone is not
   * kept from working by one that cannot be honoured.
   *
   * @throws {InvalidInputError} when it cannot be honoured
   */
  readonly postgres: () => PostgresServer;
}

/**
 * Finds out how to get into the databases.
 *
 * @param readVariable the tool's own environment
 */
export async function findCredentials(
  deployment: Deployment,
  readVariable: ReadVariable,
): Promise<Credentials> {
  const neo4j = await findNeo4jCredentials(deployment, readVariable);
  const cache = await findCacheAccess(deployment, readVariable);
  let server: PostgresServer;
  try {
    server = await findPostgresServer(deployment, readVariable);
  } catch (error) {
    deployment.signal.throwIfAborted();
    return {
      cache,
      neo4j,
      postgres: () => {
        throw error;
      },
    };
  }
  return { cache, neo4j, postgres: () => server };
}
