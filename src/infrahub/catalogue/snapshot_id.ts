import {
  AmbiguousSnapshotIdError,
  InvalidSnapshotIdError,
  type Repository,
  SnapshotNotFoundError,
} from "../../kloset/mod.ts";
import { InvalidInputError } from "../errors.ts";
import { shortId } from "../show_values.ts";

/**
 * Finds the snapshot that a prefix of its id stands for.
 *
 * @returns the full id, 64 hex digits
 * @throws {InvalidInputError} when the prefix is not hex, or fits no snapshot or several
 */
export function resolveSnapshot(repository: Repository, prefix: string): string {
  try {
    return repository.resolveSnapshotId(prefix);
  } catch (error) {
    throw new InvalidInputError(describe(prefix, error), { cause: error });
  }
}

function describe(prefix: string, error: unknown): string {
  if (error instanceof InvalidSnapshotIdError) {
    return `invalid snapshot ID "${prefix}": not valid hex`;
  }
  if (error instanceof AmbiguousSnapshotIdError) {
    return `ambiguous snapshot ID "${prefix}": matches ${error.matches} snapshots; ` +
      "provide a longer prefix";
  }
  if (error instanceof SnapshotNotFoundError) {
    return error.available.length === 0
      ? `snapshot not found: ${prefix} (repository contains no snapshots)`
      : `snapshot not found: ${prefix}\n` +
        `Available snapshots: ${error.available.map(shortId).join(", ")}`;
  }
  throw error;
}
