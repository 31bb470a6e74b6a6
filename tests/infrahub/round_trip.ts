/**
 * Backups of the real application by the program itself, and the way back: the older backup first,
 * then the newer one; what Infrahub and Prefect answer is compared, and Infrahub is used in between.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type Backend, BACKENDS, backupOf } from "../e2e/backends.ts";
import { runToolOk } from "../e2e/tool.ts";
import type { InfrahubDeployment } from "./bed/deployment.ts";
import { SERVICES } from "./bed/units.ts";
import type { FlowRun } from "./task_manager.ts";

type Runs = ReadonlyMap<string, FlowRun>;

/** Adds the steps for both backends to a test of a deployment that has been seeded. */
export async function roundTrip(
  t: Deno.TestContext,
  deployment: InfrahubDeployment,
): Promise<void> {
  const { application, taskManager } = deployment;
  const folder = await Deno.makeTempDir();
  try {
    for (const backend of BACKENDS) {
      await t.step(`${backend.name}: two backups, the older, use, the newer`, async () => {
        const older = await application.everything();
        const registered = await taskManager.registrations();
        const endedBefore = await taskManager.endedRuns();
        const first = await create(deployment, backend, folder);
        // What it asked of the services before: they answer when it has ended.
        await assertInService(deployment);
        assertEquals(await application.everything(), older, "a backup changes nothing");
        const knownAfter = await taskManager.runs();

        await application.change();
        const newer = await application.everything();
        assertNotEquals(newer, older);
        const endedLater = await taskManager.endedRuns();
        const second = await create(deployment, backend, folder);
        await assertInService(deployment);

        await runToolOk(deployment, backend.restore(folder, first));
        await assertInService(deployment);
        assertEquals(await application.everything(), older);
        assertEquals(await taskManager.registrations(), registered);
        assertHas(await taskManager.runs(), endedBefore);
        assertHasNone(await taskManager.runs(), without(endedLater, knownAfter));
        await application.use(`check-${backend.name}-older`);
        assertEquals(await application.everything(), older, "nothing is left of its use");

        await runToolOk(deployment, backend.restore(folder, second));
        await assertInService(deployment);
        assertEquals(await application.everything(), newer);
        assertHas(await taskManager.runs(), endedLater);
        await application.use(`check-${backend.name}-newer`);

        await runToolOk(deployment, backend.restore(folder, first));
        await assertInService(deployment);
        await backend.assertSound(deployment, folder);
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Creates a backup as an operator does: it waits for tasks that run. @returns the backup */
async function create(
  deployment: InfrahubDeployment,
  backend: Backend,
  folder: string,
): Promise<string> {
  const args = backend.create(folder).filter((arg) => arg !== "--force");
  return backupOf(backend, (await runToolOk(deployment, args)).stdout);
}

/** @throws {AssertionError} unless everything runs and answers right now, and takes tasks to an end */
async function assertInService(deployment: InfrahubDeployment): Promise<void> {
  assertEquals(await deployment.active(), [...SERVICES]);
  assert(await deployment.application.answers(), "the server answers");
  await deployment.ready();
  await deployment.application.settle();
}

function without(runs: Runs, others: Runs): Runs {
  return new Map([...runs].filter(([id]) => !others.has(id)));
}

function assertHas(runs: Runs, wanted: Runs): void {
  assertEquals(new Map([...wanted.keys()].map((id) => [id, runs.get(id)])), wanted);
}

function assertHasNone(runs: Runs, unwanted: Runs): void {
  assertEquals([...unwanted.keys()].filter((id) => runs.has(id)), []);
}
