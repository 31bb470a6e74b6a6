import { problemOf } from "../../errors/mod.ts";
import { ArchiveError, ArchiveIoError } from "../errors.ts";

/**
 * Runs a file operation; what it throws becomes an {@linkcode ArchiveIoError} that says what was
 * attempted. Errors of this library pass unchanged.
 */
export async function attempt<Value>(what: string, operation: Promise<Value>): Promise<Value> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveIoError(`${what}: ${problemOf(error)}`, { cause: error });
  }
}
