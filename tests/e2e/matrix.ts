/**
 * How much of the matrix of failures is run. All of it takes more than an hour, so that there is a
 * short form, which is asked for by name:
 *
 * ```sh
 * INFRAHUB_BACKUP_E2E_MATRIX=short deno task test:e2e tests/e2e/failures_plakar_test.ts
 * ```
 *
 * | form | what is run |
 * | --- | --- |
 * | `whole`, also when nothing is said | every bed with both backends: all faults of both databases, all moments |
 * | `short` | Compose with both backends, every other bed with one; every kind of failure at its bed, twice where it is of both databases |
 *
 * What the short form leaves out are ignored tests and steps, so that `deno test` counts and names
 * them.
 *
 * @module
 */

import type { Backend } from "./backends.ts";
import type { Database, Instant } from "./bed.ts";
import type { Fault } from "./faults.ts";

const FORM = Deno.env.get("INFRAHUB_BACKUP_E2E_MATRIX") || "whole";
if (FORM !== "whole" && FORM !== "short") {
  throw new Error(`INFRAHUB_BACKUP_E2E_MATRIX is "${FORM}"; it may be "whole" or "short"`);
}

const SHORT = FORM === "short";

/** The backend of the beds' round trips in the short form; those that are not named have both. */
const ROUND_TRIPS = {
  kubernetes: "tarball",
  host: "plakar",
  enterprise: "plakar",
  enterprise_cluster: "tarball",
} satisfies Readonly<Record<string, Backend["name"]>>;

/** A bed with round trips, by its name in {@linkcode ROUND_TRIPS}. */
export type RoundTripBed = "compose" | keyof typeof ROUND_TRIPS;

/** The backend of each file's failures in the short form; not that of the bed's round trip. */
const FAILURES: Readonly<Record<string, Backend["name"]>> = {
  failures: "plakar",
  interruptions: "tarball",
  enterprise_failures: "tarball",
  host_failures: "tarball",
  kubernetes_failures: "plakar",
};

/** In the short form, the faults of a dump; a different one for each database. */
const DUMP_FAULTS: Readonly<Record<Database, Fault>> = { neo4j: "killed", postgres: "cut" };

/** The same of a restore. */
const RESTORE_FAULTS: Readonly<Record<Database, Fault>> = { neo4j: "fails", postgres: "killed" };

/** A test of the matrix, by the name of its file and its backend. */
export function matrixTest(
  file: string,
  backend: Backend,
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  const ignore = SHORT && FAILURES[file] !== backend.name;
  Deno.test({ name: `${backend.name}: ${name}`, ignore, fn });
}

/** Adds a step of what a bed does with a backend beside its failures. */
export async function backendStep(
  t: Deno.TestContext,
  { bed, backend }: { readonly bed: RoundTripBed; readonly backend: Backend },
  name: string,
  fn: () => Promise<void>,
): Promise<void> {
  const ignore = SHORT && bed !== "compose" && ROUND_TRIPS[bed] !== backend.name;
  await t.step({ name: `${backend.name}: ${name}`, ignore, fn });
}

/** Whether the form leaves out the dump of a database with a fault. */
export function leavesOutDump(database: Database, fault: Fault): boolean {
  return SHORT && DUMP_FAULTS[database] !== fault;
}

/** Whether the form leaves out a full disk at the dump of a database. */
export function leavesOutDisk(database: Database): boolean {
  return SHORT && database !== "postgres";
}

/** Whether the form leaves out the restore of a database with a fault. */
export function leavesOutRestore(database: Database, fault: Fault): boolean {
  return SHORT && RESTORE_FAULTS[database] !== fault;
}

/** Whether the form leaves out SIGTERM at a moment; the short one has those amid a dump or a restore. */
export function leavesOutMoment({ stall }: Instant): boolean {
  return SHORT && stall === undefined;
}
