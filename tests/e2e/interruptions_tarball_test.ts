/** SIGTERM; a file per backend, so that they can run side by side. */

import { TARBALL } from "./backends.ts";
import { ComposeBed } from "./compose_bed.ts";
import { interruptions } from "./interruptions.ts";
import { matrixTest } from "./matrix.ts";

matrixTest(
  "interruptions",
  TARBALL,
  "SIGTERM, with real PostgreSQL and Neo4j Community",
  async (t) => {
    await using bed = await ComposeBed.start();
    await interruptions(t, bed, TARBALL);
  },
);
