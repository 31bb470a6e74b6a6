/**
 * Backups of real databases by the program itself, and the way back: the older backup first, then
 * the newer one, every row and every node compared.
 */

import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { Deployment, SERVICES } from "./deployment.ts";
import { cypher, neo4jReady, readAllNodes, seedNeo4j } from "./neo4j.ts";
import { postgresReady, readAllRows, seedPostgres, sql } from "./postgres.ts";
import { runTool, runToolOk } from "./tool.ts";

interface Data {
  readonly nodes: readonly string[];
  readonly rows: readonly string[];
}

async function readAll(deployment: Deployment): Promise<Data> {
  await neo4jReady(deployment);
  await postgresReady(deployment);
  return { nodes: await readAllNodes(deployment), rows: await readAllRows(deployment) };
}

/** Creates, changes and deletes in both databases. */
async function change(deployment: Deployment): Promise<void> {
  await cypher(deployment, "CREATE (:AttributeValue {value: 'made later', number: 42})");
  await cypher(
    deployment,
    "MATCH (n:AttributeValue) WITH n ORDER BY id(n) LIMIT 5 SET n.value = 'changed'",
  );
  await cypher(
    deployment,
    "MATCH (n:AttributeValue) WITH n ORDER BY id(n) DESC SKIP 1 LIMIT 5 DETACH DELETE n",
  );
  await sql(
    deployment,
    "CREATE TABLE made_later (id int PRIMARY KEY, note text);" +
      "INSERT INTO made_later SELECT g, 'note ' || g FROM generate_series(1, 50) g;",
  );
}

/** One backup system: how backups are made, named and restored. */
interface Backend {
  readonly name: string;
  readonly create: (deployment: Deployment, folder: string) => Promise<string>;
  readonly restore: (folder: string, backup: string) => string[];
}

const BACKENDS: readonly Backend[] = [
  {
    name: "plakar",
    create: async (deployment, folder) => {
      const { stdout } = await runToolOk(deployment, [
        "--backend",
        "plakar",
        "--repo",
        `${folder}/repository`,
        "--log-format",
        "json",
        "create",
        "--force",
      ]);
      return JSON.parse(stdout).backup_id;
    },
    restore: (folder, backup) => [
      "--backend",
      "plakar",
      "--repo",
      `${folder}/repository`,
      "--backup-id",
      backup,
      "restore",
    ],
  },
  {
    name: "tarball",
    create: async (deployment, folder) => {
      const { stdout } = await runToolOk(deployment, [
        "--backup-dir",
        folder,
        "--log-format",
        "json",
        "create",
        "--force",
      ]);
      return JSON.parse(stdout).path;
    },
    restore: (_folder, backup) => ["restore", backup],
  },
];

Deno.test("real PostgreSQL and Neo4j Community come back from backups", async (t) => {
  await using deployment = await Deployment.start();
  await neo4jReady(deployment);
  await postgresReady(deployment);
  const folder = await Deno.makeTempDir();
  try {
    for (const backend of BACKENDS) {
      await seedNeo4j(deployment, 300, backend.name);
      await seedPostgres(deployment, 500, backend.name);
      const older = await readAll(deployment);

      await t.step(`${backend.name}: two backups, then the older one, then the newer`, async () => {
        const first = await backend.create(deployment, folder);
        assertEquals(await readAll(deployment), older, "a backup changes nothing");
        assertEquals(await deployment.running(), SERVICES.toSorted());

        await change(deployment);
        const newer = await readAll(deployment);
        assertNotEquals(newer, older);
        const second = await backend.create(deployment, folder);
        assertNotEquals(first, second);

        await runToolOk(deployment, backend.restore(folder, first));
        assertEquals(await readAll(deployment), older);
        assertEquals(await deployment.running(), SERVICES.toSorted());

        await runToolOk(deployment, backend.restore(folder, second));
        assertEquals(await readAll(deployment), newer);
        assertEquals(await deployment.running(), SERVICES.toSorted());
      });

      // The next backend starts from a database of its own making.
      await cypher(deployment, "MATCH (n) DETACH DELETE n");
      await sql(deployment, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
    }

    await t.step("a plan says what a restore would do, and does nothing", async () => {
      const before = await readAll(deployment);
      const { stdout, stderr } = await runToolOk(deployment, [
        "--backend",
        "plakar",
        "--repo",
        `${folder}/repository`,
        "restore",
        "--dry-run",
      ]);
      assertStringIncludes(stdout + stderr, "stop the application services");
      assertEquals(await readAll(deployment), before);
    });

    await t.step("a project that does not exist is refused", async () => {
      const { code, stderr } = await runTool(deployment, [
        "--project",
        "no-such-project",
        "--backup-dir",
        folder,
        "create",
        "--force",
      ]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "no-such-project");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
