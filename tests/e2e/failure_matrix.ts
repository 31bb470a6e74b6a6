/**
 * Everything that goes wrong with a dump, a restore or a disk, for both databases and both backends:
 * no false success, no backup of a failed dump, the deployment as it was.
 *
 * @module
 */

import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { EXIT_FAILURE } from "../../src/cli/process/exit_codes.ts";
import { type Backend, backupOf } from "./backends.ts";
import type { Data, Database, TestBed } from "./bed.ts";
import type { Fault } from "./faults.ts";
import { type Outcome, RunningTool, runTool, runToolOk } from "./tool.ts";
import { leavesOutDisk, leavesOutDump, leavesOutRestore } from "./matrix.ts";
import { withSmallDisk } from "./small_disk.ts";

const DATABASES: readonly Database[] = ["neo4j", "postgres"];

/** What a failed dump says; each is the reason, not a consequence of it. */
const DUMP_FAULTS: Readonly<Record<Fault, RegExp>> = {
  fails: /exited with code 1[^]*spoilt: the disk is on fire/,
  killed: /exited with code 137|ended by signal SIGKILL/,
  stalls: /idle timeout/,
  empty: /produced no output/,
  cut: /is cut off inside|ends without the data/,
};

/** Long enough for the other database's dump to begin on a busy machine. */
const STALL_TIMEOUT = "30s";

/** The programs that dump, on a command line. */
const DUMP_COMMANDS: Readonly<Record<Database, RegExp>> = {
  neo4j: /neo4j-admin.* database (dump|backup)/,
  postgres: /pg_dump /,
};

function other(database: Database): Database {
  return database === "neo4j" ? "postgres" : "neo4j";
}

function describe(outcome: Outcome): string {
  return `exit code ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`;
}

/** What has become of a database, as a failed restore says. */
type Fate = "as before" | "lost" | "restored";

const FATES: Readonly<Record<string, Fate>> = {
  "unchanged": "as before",
  "put back as it was before": "as before",
  "being replaced: its data is not usable": "lost",
  "replaced, but it does not answer": "lost",
  "restored": "restored",
};

function fateOf(outcome: Outcome, database: Database): Fate {
  const name = database === "neo4j" ? "Neo4j" : "PostgreSQL";
  // On a line of its own, or in a log record, where line breaks are escaped.
  const state = new RegExp(`^  ${name}: ([^"\\n]*)`, "m")
    .exec(outcome.stderr.replaceAll("\\n", "\n"))?.[1] ?? "";
  const fate = FATES[state];
  if (fate === undefined) throw new Error(`No fate of ${name} is told:\n${describe(outcome)}`);
  return fate;
}

/** What the two databases may hold after a failed restore. */
export interface PossibleData {
  /** As they were before. */
  readonly before: Data;
  /** What is in the backup. */
  readonly backup: Data;
}

/**
 * Asserts that a restore that has failed told the truth about each database, and that the deployment
 * is up.
 */
export async function assertFailedRestore(
  bed: TestBed,
  outcome: Outcome,
  { before, backup }: PossibleData,
): Promise<Readonly<Record<Database, Fate>>> {
  const fates = { neo4j: fateOf(outcome, "neo4j"), postgres: fateOf(outcome, "postgres") };
  const lost = DATABASES.filter((database) => fates[database] === "lost");
  await bed.assertBackToNormal(lost);
  const expected = (database: Database): readonly string[] =>
    (fates[database] === "restored" ? backup : before)[database];
  if (fates.neo4j !== "lost") assertEquals((await bed.readAll()).neo4j, expected("neo4j"));
  if (fates.postgres !== "lost") assertEquals(await bed.readPostgres(), expected("postgres"));
  return fates;
}

/** Adds the steps for one backend to a test. */
export async function failureMatrix(
  t: Deno.TestContext,
  bed: TestBed,
  backend: Backend,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await bed.seed(`matrix_${backend.name}`);
    await failedDumps(t, bed, backend, folder);
    await fullDisks(t, bed, backend);
    await failedRestores(t, bed, backend, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a `create` that has failed must have left: nothing complete, and the other database's. */
async function assertFailedDump(
  bed: TestBed,
  backend: Backend,
  folder: string,
  { outcome, failed, data }: { outcome: Outcome; failed: Database; data: Data },
): Promise<void> {
  assertEquals(outcome.code, EXIT_FAILURE, describe(outcome));
  const result = JSON.parse(outcome.stdout) as { readonly ok: boolean };
  assertEquals(result.ok, false);
  await bed.assertBackToNormal();
  assertEquals(await backend.complete(bed, folder), []);
  if (backend.name === "plakar") {
    assertEquals((await backend.incomplete(bed, folder)).at(-1), [other(failed)]);
  }
  await backend.assertSound(bed, folder);
  assertEquals(await bed.readAll(), data, "a backup changes nothing");
}

async function failedDumps(
  t: Deno.TestContext,
  bed: TestBed,
  backend: Backend,
  folder: string,
): Promise<void> {
  const data = await bed.readAll();
  for (const database of DATABASES) {
    for (const [fault, reason] of Object.entries(DUMP_FAULTS) as [Fault, RegExp][]) {
      const name = `${backend.name}: the dump of ${database} ${phrase(fault)}`;
      const ignore = leavesOutDump(database, fault);
      const fn = async (): Promise<void> => {
        const flags = fault === "stalls" ? ["--stream-timeout", STALL_TIMEOUT] : [];
        const outcome = await bed.withFault(
          { database, operation: "dump" },
          fault,
          () => runTool(bed, backend.create(folder, ...flags)),
        );
        assertMatch(outcome.stderr, reason);
        await assertFailedDump(bed, backend, folder, { outcome, failed: database, data });
      };
      await t.step({ name, ignore, fn });
    }
  }
}

/** A fault as the end of a sentence about a program. */
function phrase(fault: Fault): string {
  return fault === "killed" || fault === "empty" || fault === "cut" ? `is ${fault}` : fault;
}

async function fullDisks(t: Deno.TestContext, bed: TestBed, backend: Backend): Promise<void> {
  for (const database of DATABASES) {
    const name = `${backend.name}: the disk is full at the dump of ${database}`;
    const ignore = leavesOutDisk(database);
    const fn = async (): Promise<void> => {
      const data = await bed.readAll();
      await withSmallDisk(async (disk) => {
        {
          const gate = DUMP_COMMANDS[database];
          await using run = await RunningTool.start(bed, backend.create(disk.folder), { gate });
          await run.reach(gate);
          await disk.fill();
          await run.openGate();
          const outcome = await run.outcome;
          assertStringIncludes(outcome.stderr, "No space left on device");
          assertEquals(outcome.code, EXIT_FAILURE, describe(outcome));
          await bed.assertBackToNormal();
        }
        await disk.free();
        assertEquals(await backend.complete(bed, disk.folder), []);
        await backend.assertSound(bed, disk.folder);
        assertEquals(await bed.readAll(), data, "a backup changes nothing");
      });
    };
    await t.step({ name, ignore, fn });
  }
}

async function failedRestores(
  t: Deno.TestContext,
  bed: TestBed,
  backend: Backend,
  folder: string,
): Promise<void> {
  const create = async (): Promise<string> =>
    backupOf(backend, (await runToolOk(bed, backend.create(folder))).stdout);
  const backup = await bed.readAll();
  const older = await create();
  await bed.change(`changed_${backend.name}`);
  const before = await bed.readAll();
  const newer = await create();
  for (const database of DATABASES) {
    // Not one that stalls: once it has all of its input, nobody can tell it from one that works. Nor
    // one that says that all is well: of a program that lies, the last bytes stay in a pipe.
    for (const fault of ["fails", "killed"] as const) {
      const name = `${backend.name}: the restore of ${database} ${phrase(fault)}`;
      const ignore = leavesOutRestore(database, fault);
      const fn = async (): Promise<void> => {
        const outcome = await bed.withFault(
          { database, operation: "restore" },
          fault,
          () => runTool(bed, backend.restore(folder, older)),
        );
        assertEquals(outcome.code, EXIT_FAILURE, describe(outcome));
        const fates = await assertFailedRestore(bed, outcome, { before, backup });
        assertNotEquals(fates[database], "restored");
        assertEquals(fates[other(database)], "as before");
        if (fates[database] === "lost") {
          await runToolOk(bed, backend.restore(folder, newer));
          await bed.assertBackToNormal();
          assertEquals(await bed.readAll(), before);
        }
      };
      await t.step({ name, ignore, fn });
    }
  }
  await t.step(`${backend.name}: the backup still comes back`, async () => {
    await runToolOk(bed, backend.restore(folder, older));
    await bed.assertBackToNormal();
    assertEquals(await bed.readAll(), backup);
  });
}
