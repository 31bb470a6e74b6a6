/**
 * A deployment on this machine itself, with `--host`: a real PostgreSQL server of Debian and a real
 * Neo4j Community, no containers; `systemctl` is a stand-in. See `host/`.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { BACKENDS, backupOf } from "./backends.ts";
import { backendStep } from "./matrix.ts";
import { HostBed } from "./host/bed.ts";
import { listProcesses } from "./processes.ts";
import { roundTrip } from "./round_trip.ts";
import { RunningTool, runTool, runToolOk } from "./tool.ts";

Deno.test("host with real PostgreSQL and Neo4j Community, stand-in for systemctl", async (t) => {
  await using bed = await HostBed.start();
  await roundTrip(t, bed, "host");

  const folder = await Deno.makeTempDir();
  try {
    for (const backend of BACKENDS) {
      await backendStep(
        t,
        { bed: "host", backend },
        "passwords stand on no command line",
        async () => {
          const { neo4j, postgres } = bed.passwords;
          const secrets = [neo4j, postgres, encodeURIComponent(postgres)];
          const assertSecret = (lines: readonly string[]) => {
            const told = lines.filter((line) => secrets.some((secret) => line.includes(secret)));
            assertEquals(told, []);
          };
          await bed.withFault({ database: "postgres", operation: "dump" }, "stalls", async () => {
            const create = backend.create(folder, "--stream-timeout", "15s");
            await using run = await RunningTool.start(bed, create);
            await run.reach(/^started: pg_dump/);
            // The server takes no connection without the password, so that pg_dump has it by now.
            assertSecret((await listProcesses()).map(({ argv }) => argv.join(" ")));
            const { code, stdout } = await run.outcome;
            assertEquals(code, 1);
            assertSecret([stdout, ...await run.events()]);
          });
          await bed.assertBackToNormal();
        },
      );
    }

    for (const backend of BACKENDS) {
      const told = "a password that is wrong is told, and nothing is touched";
      await backendStep(t, { bed: "host", backend }, told, async () => {
        const data = await bed.readAll();
        const own = await Deno.makeTempDir({ dir: folder });
        const url = new URL(bed.toolEnvironment.PREFECT_API_DATABASE_CONNECTION_URL ?? "");
        url.password = "another-one";
        const PREFECT_API_DATABASE_CONNECTION_URL = url.href;
        const env = { PREFECT_API_DATABASE_CONNECTION_URL };
        const { code, stderr } = await runTool(bed, backend.create(own), { env });
        assertEquals(code, 1);
        assertStringIncludes(stderr, "password authentication failed");
        assertEquals(await backend.complete(bed, own), []);
        await bed.assertBackToNormal();
        assertEquals(await bed.readAll(), data);
      });

      const exported = "an exported PGHOST does not choose the server that a URL names";
      await backendStep(t, { bed: "host", backend }, exported, async () => {
        // No server listens there: whoever followed the variable would fail.
        const env = { PGHOST: "/nowhere" };
        const older = await bed.readAll();
        const created = await runToolOk(bed, backend.create(folder), { env });
        const backup = backupOf(backend, created.stdout);
        await bed.change(`exported_${backend.name}`);
        const restored = await runTool(bed, backend.restore(folder, backup), { env });
        assertEquals(restored.code, 0, restored.stderr);
        assertEquals(await bed.readAll(), older);
        await bed.assertBackToNormal();
      });
    }

    await t.step("nothing is removed that belongs to others", async () => {
      // In containers, a restore empties the cache and /var/lib/rabbitmq.
      const [backend] = BACKENDS;
      if (backend === undefined) throw new Error("No backend");
      const created = await runToolOk(bed, backend.create(folder));
      const restore = backend.restore(folder, backupOf(backend, created.stdout), "--dry-run");
      const { stdout } = await runToolOk(bed, restore);
      assert(!stdout.includes("remove"), stdout);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
