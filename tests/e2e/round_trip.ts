/**
 * Backups by the program itself, and the way back: the older backup first, then the newer one, every
 * row and every node compared.
 *
 * @module
 */

import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { BACKENDS, backupOf } from "./backends.ts";
import type { TestBed } from "./bed.ts";
import { backendStep, type RoundTripBed } from "./matrix.ts";
import { runToolOk } from "./tool.ts";

/** Adds the steps for both backends to a test. Leaves other data behind than it has found. */
export async function roundTrip(
  t: Deno.TestContext,
  bed: TestBed,
  name: RoundTripBed,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const backend of BACKENDS) {
      await backendStep(
        t,
        { bed: name, backend },
        "two backups, then the older one, then the newer",
        async () => {
          const create = async (): Promise<string> =>
            backupOf(backend, (await runToolOk(bed, backend.create(folder))).stdout);
          await bed.seed(backend.name);
          const older = await bed.readAll();
          const first = await create();
          await bed.assertBackToNormal();
          assertEquals(await bed.readAll(), older, "a backup changes nothing");

          await bed.change(`changed_${backend.name}`);
          const newer = await bed.readAll();
          assertNotEquals(newer.neo4j, older.neo4j);
          assertNotEquals(newer.postgres, older.postgres);
          const second = await create();
          assertEquals(await backend.complete(bed, folder), [first, second]);

          await runToolOk(bed, backend.restore(folder, first));
          await bed.assertBackToNormal();
          assertEquals(await bed.readAll(), older);

          const plan = await runToolOk(bed, backend.restore(folder, second, "--dry-run"));
          assertStringIncludes(plan.stdout, "stop the application services");
          assertEquals(await bed.readAll(), older, "a plan does nothing");

          await runToolOk(bed, backend.restore(folder, second));
          await bed.assertBackToNormal();
          assertEquals(await bed.readAll(), newer);
        },
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
