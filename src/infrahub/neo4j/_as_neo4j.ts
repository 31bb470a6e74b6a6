import { CommandFailedError, type ExecOptions } from "../../environment/mod.ts";
import { DATABASE, type Deployment } from "../deployment/mod.ts";

/**
 * The user for programs that write the database's files, which must belong to the server: `neo4j`,
 * unless commands run as that user anyway.
 */
export async function asNeo4j(
  { environment, signal }: Deployment,
): Promise<Pick<ExecOptions, "user">> {
  let user: string;
  try {
    user = (await environment.run(DATABASE, ["whoami"], { signal })).trim();
  } catch (error) {
    signal.throwIfAborted();
    // A user id without a name: an image made for one user alone, which is what commands run as.
    if (error instanceof CommandFailedError) return {};
    throw error;
  }
  return user === "neo4j" ? {} : { user: "neo4j" };
}
