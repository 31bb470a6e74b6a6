import type { Kernels } from "../../kernels/mod.ts";
import {
  CorruptionError,
  failedToOpen,
  NotARepositoryError,
  UnsupportedVersionError,
} from "../errors.ts";
import { decodeConfigurationFile, FormatError } from "../format/mod.ts";
import type { ReadConfiguration } from "../key/mod.ts";
import type { Store } from "../store/mod.ts";
import { rereadOnDamage } from "../unit/mod.ts";

/**
 * Reads CONFIG, which only `unlock` and `verifyConfiguration` authenticate where the repository is
 * encrypted.
 *
 * @throws {NotARepositoryError} it is a file of something else
 * @throws {UnsupportedVersionError} it is of a version that this engine does not know
 * @throws {CorruptionError} it is damaged
 * @throws {StoreError} the store failed
 */
export async function readConfiguration(
  store: Store,
  kernels: Kernels,
): Promise<ReadConfiguration> {
  const failed = failedToOpen(store);
  const blake3 = (bytes: Uint8Array) => kernels.blake3(bytes);
  try {
    return await rereadOnDamage(
      async () => {
        const bytes = await store.readConfiguration();
        return { bytes, configuration: decodeConfigurationFile(bytes, blake3) };
      },
      (problem) => new CorruptionError(`${failed}: CONFIG is damaged: ${problem}`),
    );
  } catch (error) {
    if (error instanceof FormatError) {
      throw new UnsupportedVersionError(`${failed}: ${error.message}`, { cause: error });
    }
    if (error instanceof CorruptionError && isForeign(error.cause)) {
      throw new NotARepositoryError(`${failed}: CONFIG is not of a Kloset repository`, {
        cause: error,
      });
    }
    throw error;
  }
}

function isForeign(cause: unknown): boolean {
  return cause instanceof FormatError && cause.reason === "magic";
}
