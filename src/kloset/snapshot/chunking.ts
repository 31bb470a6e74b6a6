import { CutScanner, type FastCdcParameters } from "../../kernels/mod.ts";
import type { Engine } from "../engine.ts";
import { UnsupportedVersionError } from "../errors.ts";

/** Greatest chunk size that a CONFIG may ask writers for. */
export const MAXIMUM_WRITTEN_CHUNK_BYTES = 64 * 1024 * 1024;

/**
 * How CONFIG wants contents to be cut. Asked by writers alone: a CONFIG that cannot be followed is
 * no hindrance to reading.
 *
 * @throws {UnsupportedVersionError} in a way that this engine cannot follow
 */
export function chunkingOf(
  { configuration: { chunking }, kernels, store }: Pick<
    Engine,
    "configuration" | "kernels" | "store"
  >,
): FastCdcParameters {
  const refused = (problem: string, cause?: unknown) =>
    new UnsupportedVersionError(
      `Cannot write to repository "${store.location}": ${problem}`,
      { cause },
    );
  const algorithm = chunking.algorithm.toLowerCase();
  if (algorithm !== "fastcdc" && algorithm !== "fastcdc-v1.0.0") {
    throw refused(`unknown chunking "${chunking.algorithm}"`);
  }
  const { minSize, normalSize, maxSize } = chunking;
  if (maxSize > MAXIMUM_WRITTEN_CHUNK_BYTES) {
    throw refused(
      `chunks of ${maxSize} bytes (greatest supported: ${MAXIMUM_WRITTEN_CHUNK_BYTES})`,
    );
  }
  const parameters: FastCdcParameters = { algorithm, minSize, normalSize, maxSize };
  try {
    new CutScanner(kernels, parameters).dispose();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refused(error.message, error);
  }
  return parameters;
}
