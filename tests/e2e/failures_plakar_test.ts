/** Dumps, restores and disks that fail; a file per backend, so that they can run side by side. */

import { PLAKAR } from "./backends.ts";
import { ComposeBed } from "./compose_bed.ts";
import { failureMatrix } from "./failure_matrix.ts";
import { matrixTest } from "./matrix.ts";

matrixTest("failures", PLAKAR, "failures, with real PostgreSQL and Neo4j Community", async (t) => {
  await using bed = await ComposeBed.start();
  await failureMatrix(t, bed, PLAKAR);
});
