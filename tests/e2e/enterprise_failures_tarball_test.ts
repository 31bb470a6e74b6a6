/**
 * Dumps, restores and disks that fail, then SIGTERM at a few moments; of those, the bed with nothing
 * but real databases has them all. A file per backend, so that they can run side by side.
 */

import { TARBALL } from "./backends.ts";
import { failureMatrix } from "./failure_matrix.ts";
import { interruptions } from "./interruptions.ts";
import { EnterpriseBed } from "./enterprise/bed.ts";
import { matrixTest } from "./matrix.ts";

matrixTest(
  "enterprise_failures",
  TARBALL,
  "failures and SIGTERM, stand-in for Neo4j Enterprise, real PostgreSQL",
  async (t) => {
    await using bed = await EnterpriseBed.startEnterprise();
    await failureMatrix(t, bed, TARBALL);
    await interruptions(t, bed, TARBALL);
  },
);
