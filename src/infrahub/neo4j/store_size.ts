import { messageOf } from "../../errors/mod.ts";
import { findNeo4jDirectories } from "./_directories.ts";
import { checkNeo4jDatabaseName } from "./cypher.ts";
import {
  DATABASE,
  type DatabaseCredentials,
  type Deployment,
  DeploymentError,
  measureDirectory,
} from "../deployment/mod.ts";

/** What a database takes on the disk of its server, in bytes. */
export interface Neo4jSize {
  readonly store: number;
  readonly transactionLogs: number;
}

/**
 * Measures a database where its server says that it lies: with another NEO4J_HOME, or settings of its
 * own, that is not where the official image has it.
 *
 * @returns undefined, after a warning, when it cannot be found out, as of a server that is stopped
 */
export async function measureNeo4j(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<Neo4jSize | undefined> {
  const { environment, reporter, signal } = deployment;
  const database = checkNeo4jDatabaseName(credentials.database);
  try {
    if (await environment.status(DATABASE, signal) === "stopped") {
      throw new DeploymentError(`service ${DATABASE} is stopped`);
    }
    const { data, transactions } = await findNeo4jDirectories(deployment, credentials);
    const measure = async (directory: string) => {
      const bytes = await measureDirectory(deployment, DATABASE, directory);
      if (bytes === undefined) throw new DeploymentError(`${directory} cannot be measured`);
      return bytes;
    };
    return {
      store: await measure(`${data}/databases/${database}`),
      transactionLogs: await measure(`${transactions}/${database}`),
    };
  } catch (error) {
    signal.throwIfAborted();
    reporter.warn(`The size of the Neo4j database is not known: ${messageOf(error)}`);
    return undefined;
  }
}
