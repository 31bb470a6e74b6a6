/**
 * Dumps, restores and disks that fail, then SIGTERM at a few moments; of those, the bed with nothing
 * but real databases has them all. A file per backend, so that they can run side by side.
 */

import { TARBALL } from "./backends.ts";
import { failureMatrix } from "./failure_matrix.ts";
import { interruptions } from "./interruptions.ts";
import { HostBed } from "./host/bed.ts";
import { matrixTest } from "./matrix.ts";

matrixTest(
  "host_failures",
  TARBALL,
  "failures and SIGTERM, host with real PostgreSQL and Neo4j Community, stand-in for systemctl",
  async (t) => {
    await using bed = await HostBed.start();
    await failureMatrix(t, bed, TARBALL);
    await interruptions(t, bed, TARBALL);
  },
);
