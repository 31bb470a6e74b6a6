import { type Configuration, VERSION_1_0_0, VERSION_1_1_0 } from "../format/mod.ts";
import type { States } from "./states.ts";

/**
 * Which clients must be able to open the repository: those of version 1.0 keep a directory's
 * summary in its entry, later ones in blobs of their own (format reference, section 15.2).
 */
export type Flavour = "1.0" | "1.1";

/** The algorithm name in the CONFIG of repositories that clients of version 1.0 have created. */
const ALGORITHM_OF_1_0 = "FASTCDC";

/** What to write: states of version 1.1 would lock clients of 1.0 out of a repository of theirs. */
export function flavourOf(
  { needsVersion11, latest }: Pick<States, "needsVersion11" | "latest">,
  { chunking }: Pick<Configuration, "chunking">,
): Flavour {
  if (needsVersion11) return "1.1";
  return latest !== undefined || chunking.algorithm === ALGORITHM_OF_1_0 ? "1.0" : "1.1";
}

/** The version word of the states of a flavour. */
export function stateVersionOf(flavour: Flavour): number {
  return flavour === "1.0" ? VERSION_1_0_0 : VERSION_1_1_0;
}
