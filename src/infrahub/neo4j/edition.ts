import type { Neo4jEdition } from "../component.ts";
import { InvalidInputError } from "../errors.ts";

/** How the edition was found. */
export interface ResolvedEdition {
  readonly edition: Neo4jEdition;
  /** Whether nobody named it, so that it had to be guessed. */
  readonly guessed: boolean;
}

/**
 * Finds the Neo4j edition of a dump: as given, else by its path: a file whose name ends in `.dump`
 * is a Community dump, everything else an Enterprise backup.
 *
 * @param given as the user wrote it, any case; empty or undefined when not given
 * @param dumpFile path of the dump when it is a single file
 * @throws {InvalidInputError} when the given name is no edition
 */
export function resolveEdition(given: string | undefined, dumpFile?: string): ResolvedEdition {
  if (given === undefined || given === "") {
    return { edition: dumpFile?.endsWith(".dump") ? "community" : "enterprise", guessed: true };
  }
  const edition = given.toLowerCase();
  if (edition !== "enterprise" && edition !== "community") {
    throw new InvalidInputError(
      `unknown neo4j edition: ${given}, expected 'enterprise' or 'community'`,
    );
  }
  return { edition, guessed: false };
}
