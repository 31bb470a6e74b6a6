import { CorruptionError } from "../errors.ts";
import { FormatError } from "../format/mod.ts";

/**
 * Reads something that is verified while it is read, and once more from the store when the first
 * attempt finds damage: a flipped bit on the way is not yet a flipped bit in the repository.
 *
 * @throws what the second attempt fails with; damage as {@linkcode CorruptionError}, a version that
 * is too new as {@linkcode FormatError}
 */
export async function rereadOnDamage<T>(
  read: () => Promise<T>,
  describe: (problem: string) => CorruptionError,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    // A version that is too new may come from a flipped bit as well.
    if (!isDamage(error) && !(error instanceof FormatError)) throw error;
  }
  try {
    return await read();
  } catch (error) {
    if (!isDamage(error)) throw error;
    const damage = describe(error.message);
    damage.cause = error;
    throw damage;
  }
}

function isDamage(error: unknown): error is FormatError | CorruptionError {
  return error instanceof CorruptionError ||
    (error instanceof FormatError && error.reason !== "version");
}
