/**
 * Neo4j Enterprise, by stand-ins: a real Community server behind programs that take the arguments
 * and make the files of the Enterprise ones. PostgreSQL is real, and so is every node that is
 * compared; see `enterprise/`.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { BACKENDS, backupOf } from "./backends.ts";
import { backendStep } from "./matrix.ts";
import { EnterpriseBed } from "./enterprise/bed.ts";
import { roundTrip } from "./round_trip.ts";
import { runTool, runToolOk } from "./tool.ts";
import { withProgram } from "./faults.ts";

const WORK = /\/tmp\/infrahubops-[0-9a-f-]{36}/g;

/** Calls that change something, with the names of work directories as in the reference. */
async function changes(bed: EnterpriseBed): Promise<string[]> {
  return (await bed.calls())
    .filter((line) => !/ (SHOW|CALL|RETURN) /.test(line))
    .map((line) => line.replaceAll(WORK, "WORK"));
}

const CYPHER = "cypher-shell -d system --format plain";
const BACKUP = "neo4j-admin as root database backup --expand-commands --include-metadata=all " +
  "--compress=false --to-path=WORK/infrahubops neo4j";
const RESTORE = "neo4j-admin as neo4j database restore --expand-commands " +
  "--overwrite-destination=true --from-path=WORK/infrahubops neo4j";
const METADATA = "cypher-shell -d system --param database => 'neo4j'";

Deno.test("stand-in for Neo4j Enterprise, single server, with real PostgreSQL", async (t) => {
  await using bed = await EnterpriseBed.startEnterprise();
  await roundTrip(t, bed, "enterprise");

  const folder = await Deno.makeTempDir();
  try {
    for (const backend of BACKENDS) {
      await backendStep(
        t,
        { bed: "enterprise", backend },
        "commands and their order as in the reference",
        async () => {
          await bed.forgetCalls();
          const backup = backupOf(backend, (await runToolOk(bed, backend.create(folder))).stdout);
          assertEquals(await changes(bed), [BACKUP]);

          await bed.forgetCalls();
          await bed.takeMetadata();
          await runToolOk(bed, backend.restore(folder, backup, "--migrate-format"));
          assertEquals(await changes(bed), [
            `${CYPHER} stop database \`neo4j\``,
            RESTORE,
            "neo4j-admin as neo4j database migrate --expand-commands --to-format=block neo4j",
            METADATA,
            `${CYPHER} start database \`neo4j\``,
          ]);
          assertEquals(await bed.takeMetadata(), "// metadata: all");
          await bed.assertBackToNormal();
        },
      );

      await backendStep(
        t,
        { bed: "enterprise", backend },
        "a backup without metadata runs no script",
        async () => {
          const create = backend.create(folder, "--neo4jmetadata=none");
          const backup = backupOf(backend, (await runToolOk(bed, create)).stdout);
          await bed.forgetCalls();
          // The script of the last restore is still there.
          await runToolOk(bed, backend.restore(folder, backup));
          assertEquals(await bed.takeMetadata(), undefined);
          assert(!(await changes(bed)).includes(METADATA));
        },
      );

      await backendStep(
        t,
        { bed: "enterprise", backend },
        "a restore that neo4j-admin refuses is told, and the database runs",
        async () => {
          const backup = backupOf(backend, (await runToolOk(bed, backend.create(folder))).stdout);
          const data = await bed.readAll();
          const outcome = await withProgram(
            bed.deployment,
            { service: "database", program: "neo4j-admin", when: "*database*restore*" },
            "echo 'spoilt: no such format' >&2; exit 1",
            () => runTool(bed, backend.restore(folder, backup)),
          );
          assertEquals(outcome.code, 1);
          assertStringIncludes(outcome.stderr, "spoilt: no such format");
          assertMatch(outcome.stderr, /Neo4j: being replaced: its data is not usable/);
          // The database is told to start, and not waited for: that may take a moment.
          assertEquals(await bed.readAll(), data);
          await bed.assertBackToNormal();
        },
      );
    }

    for (const [fault, script, problem] of BACKUP_FAULTS) {
      for (const backend of BACKENDS) {
        const name = `an online backup that ${fault} leaves no backup`;
        await backendStep(t, { bed: "enterprise", backend }, name, async () => {
          const data = await bed.readAll();
          const own = await Deno.makeTempDir({ dir: folder });
          const outcome = await withProgram(
            bed.deployment,
            { service: "database", program: "neo4j-admin", when: "*database*backup*" },
            script,
            () => runTool(bed, backend.create(own, "--stream-timeout", "8s")),
          );
          assertEquals(outcome.code, 1, outcome.stderr);
          assertMatch(outcome.stderr, problem);
          await bed.assertBackToNormal();
          assertEquals(await backend.complete(bed, own), []);
          await backend.assertSound(bed, own);
          assertEquals(await bed.readAll(), data);
        });
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** What happens, how, and what is said of it. */
const BACKUP_FAULTS: readonly (readonly [string, string, RegExp])[] = [
  ["fails", "echo 'spoilt: no listener' >&2; exit 1", /failed to backup neo4j.*[^]*spoilt/],
  ["is killed", 'kill -KILL "$$"', /failed to backup neo4j/],
  ["makes no progress", "exec sleep 100000", /no progress for 8s/],
  ["writes nothing", "exit 0", /no backup|empty|no file/i],
];

Deno.test("stand-in for Neo4j Enterprise, cluster, with real PostgreSQL", async (t) => {
  await using bed = await EnterpriseBed.startEnterprise(3);
  await roundTrip(t, bed, "enterprise_cluster");

  await t.step("commands and their order as in the reference", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const create = ["--backup-dir", folder, "--log-format", "json", "create", "--force"];
      const { path } = JSON.parse((await runToolOk(bed, create)).stdout);
      await bed.forgetCalls();
      await runToolOk(bed, ["restore", path]);
      assertEquals(await changes(bed), [
        `${CYPHER} STOP DATABASE \`neo4j\``,
        `${CYPHER} DROP DATABASE \`neo4j\` IF EXISTS`,
        RESTORE,
        `${CYPHER} CREATE DATABASE \`neo4j\` TOPOLOGY 3 PRIMARIES OPTIONS {   existingData: 'use',` +
        "   existingDataSeedInstance: '5e7a1c9e-0000-4000-8000-000000000001' }",
        METADATA,
      ]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
