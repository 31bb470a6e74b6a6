/**
 * SIGTERM at many moments of a `create` and of a `restore`, with both backends: the documented exit
 * code, no false success, the deployment as it was, and the next run succeeds. SIGKILL at a few of a
 * `restore`: the next command says so, and `restore --recover` puts it right.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { EXIT_SUCCESS, EXIT_TERMINATED } from "../../src/cli/process/exit_codes.ts";
import { type Backend, backupOf } from "./backends.ts";
import type { Instant, TestBed } from "./bed.ts";
import { assertFailedRestore } from "./failure_matrix.ts";
import { leavesOutMoment } from "./matrix.ts";
import { type Outcome, RunningTool, runToolOk } from "./tool.ts";

/** So many moments may come too late, when nothing was left to be ended. */
const LATE = 1;

/** How many moments the form of the matrix takes. */
function taken(instants: readonly Instant[]): number {
  return instants.filter((instant) => !leavesOutMoment(instant)).length;
}

/** Adds the steps for one backend to a test. */
export async function interruptions(
  t: Deno.TestContext,
  bed: TestBed,
  backend: Backend,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await bed.seed(`interruptions_${backend.name}`);
    await interruptedCreates(t, bed, backend, folder);
    await interruptedRestores(t, bed, backend, folder);
    await killedRestores(t, bed, backend, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the tool and sends it SIGTERM at a moment. */
async function interrupt(
  bed: TestBed,
  instant: Instant,
  args: readonly string[],
): Promise<Outcome> {
  const body = async (): Promise<Outcome> => {
    await using run = await RunningTool.start(bed, args);
    await run.reach(instant.event);
    run.signal("SIGTERM");
    return await run.outcome;
  };
  return instant.stall === undefined
    ? await body()
    : await bed.withFault(instant.stall, "stalls", body);
}

async function interruptedCreates(
  t: Deno.TestContext,
  bed: TestBed,
  backend: Backend,
  folder: string,
): Promise<void> {
  const data = await bed.readAll();
  let ended = 0;
  for (const instant of bed.instants.create) {
    const name = `${backend.name}, create: SIGTERM when ${instant.name}`;
    const fn = async (): Promise<void> => {
      const before = await backend.complete(bed, folder);
      const outcome = await interrupt(bed, instant, backend.create(folder));
      await bed.assertBackToNormal();
      const complete = await backend.complete(bed, folder);
      await backend.assertSound(bed, folder);
      if (outcome.code === EXIT_SUCCESS) {
        // The signal came when all was done that there was to do.
        assertEquals(complete, [...before, backupOf(backend, outcome.stdout)]);
      } else {
        assertEquals(outcome.code, EXIT_TERMINATED, outcome.stderr);
        assertEquals(JSON.parse(outcome.stdout).ok, false);
        assertEquals(complete, before);
        ended++;
      }
      assertEquals(await bed.readAll(), data, "a backup changes nothing");
    };
    await t.step({ name, ignore: leavesOutMoment(instant), fn });
  }
  await t.step(
    `${backend.name}, create: after ${ended} ended runs, the next succeeds`,
    async () => {
      assert(ended >= taken(bed.instants.create) - LATE);
      const before = await backend.complete(bed, folder);
      const { stdout } = await runToolOk(bed, backend.create(folder));
      assertEquals(await backend.complete(bed, folder), [...before, backupOf(backend, stdout)]);
      await backend.assertSound(bed, folder);
    },
  );
}

async function interruptedRestores(
  t: Deno.TestContext,
  bed: TestBed,
  backend: Backend,
  folder: string,
): Promise<void> {
  const create = async (): Promise<string> =>
    backupOf(backend, (await runToolOk(bed, backend.create(folder))).stdout);
  const backup = await bed.readAll();
  // The last of the interrupted series is of the same data.
  const older = (await backend.complete(bed, folder)).at(-1) ?? await create();
  await bed.change(`interruptions_of_${backend.name}`);
  const before = await bed.readAll();
  const newer = await create();
  let ended = 0;
  for (const instant of bed.instants.restore) {
    const name = `${backend.name}, restore: SIGTERM when ${instant.name}`;
    const fn = async (): Promise<void> => {
      const outcome = await interrupt(bed, instant, backend.restore(folder, older));
      assertEquals(outcome.code, EXIT_TERMINATED, outcome.stderr);
      ended++;
      if (/restore failed: /.test(outcome.stderr)) {
        const fates = await assertFailedRestore(bed, outcome, { before, backup });
        if (Object.values(fates).every((fate) => fate === "as before")) return;
        await runToolOk(bed, backend.restore(folder, newer));
      }
      // Else nothing had been touched yet.
      await bed.assertBackToNormal();
      assertEquals(await bed.readAll(), before);
    };
    await t.step({ name, ignore: leavesOutMoment(instant), fn });
  }
  await t.step(
    `${backend.name}, restore: after ${ended} ended runs, the next succeeds`,
    async () => {
      assertEquals(ended, taken(bed.instants.restore));
      await runToolOk(bed, backend.restore(folder, older));
      await bed.assertBackToNormal();
      assertEquals(await bed.readAll(), backup);
    },
  );
}

/** The first, the middle and the last of the moments at which nothing is kept from going on. */
function killMoments({ instants }: TestBed): readonly Instant[] {
  const moments = instants.restore.filter(({ stall }) => stall === undefined);
  const chosen = [0, moments.length >> 1, moments.length - 1].map((at) => moments[at]);
  return [...new Set(chosen)].filter((moment) => moment !== undefined);
}

async function killedRestores(
  t: Deno.TestContext,
  bed: TestBed,
  backend: Backend,
  folder: string,
): Promise<void> {
  const env = { XDG_STATE_HOME: `${folder}/state` };
  const backup = await bed.readAll();
  const older = backupOf(backend, (await runToolOk(bed, backend.create(folder), { env })).stdout);
  await bed.change(`killed_restores_of_${backend.name}`);
  const before = await bed.readAll();
  const newer = backupOf(backend, (await runToolOk(bed, backend.create(folder), { env })).stdout);
  for (const instant of killMoments(bed)) {
    const fn = async (): Promise<void> => {
      await using run = await RunningTool.start(bed, backend.restore(folder, older), { env });
      await run.reach(instant.event);
      run.signal("SIGKILL");
      await run.outcome;
      const recovered = await runToolOk(bed, ["restore", "--recover"], { env });
      await bed.assertBackToNormal();
      const data = await bed.readAll();
      const isOld = JSON.stringify(data) === JSON.stringify(before);
      assertEquals(data, isOld ? before : backup, recovered.stderr);
      if (!isOld) await runToolOk(bed, backend.restore(folder, newer), { env });
      assertEquals(await bed.readAll(), before);
    };
    await t.step(`${backend.name}, restore: SIGKILL when ${instant.name}, and --recover`, fn);
  }
}
