/**
 * Proves the ground that the other end-to-end tests stand on, with plain docker commands: the
 * databases are real, dump and restore work by the commands of the reference, and a difference
 * would be seen. Neo4j is held for that by the product's own watchdog.
 */

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { Deployment, SERVICES, text } from "./deployment.ts";
import { FAULTS, PART_BYTES, withProgram } from "./faults.ts";
import { cypher, neo4jReady, readAllNodes, seedNeo4j } from "./neo4j.ts";
import { postgresReady, readAllRows, seedPostgres, sql } from "./postgres.ts";
import { holdNeo4j, PID_FILE } from "./hold.ts";
import { bringDown, bringUp } from "../../scripts/e2e/stack.ts";

const PG = ["-h", "localhost", "-U", "postgres"];

async function cypherShell(deployment: Deployment, ...args: string[]): Promise<string> {
  const login = ["cypher-shell", "-u", "neo4j", "--format", "plain"];
  const env = { NEO4J_PASSWORD: deployment.passwords.neo4j };
  return text(await deployment.exec("database", [...login, ...args], { env }));
}

function pgPassword(deployment: Deployment): Record<string, string> {
  return { PGPASSWORD: deployment.passwords.postgres };
}

async function restarts(deployment: Deployment): Promise<string> {
  const id = await deployment.container("database");
  return text(await deployment.docker(["inspect", "-f", "{{.RestartCount}}", id])).trim();
}

async function dumpNeo4j(deployment: Deployment): Promise<Uint8Array> {
  await using _held = await holdNeo4j(deployment);
  const dump = ["neo4j-admin", "database", "dump", "--to-stdout", "neo4j"];
  return (await deployment.exec("database", dump)).stdout;
}

async function loadNeo4j(deployment: Deployment, dump: Uint8Array): Promise<void> {
  await using _held = await holdNeo4j(deployment);
  const load = ["neo4j-admin", "database", "load", "--from-stdin", "--overwrite-destination=true"];
  await deployment.exec("database", [...load, "neo4j"], { user: "neo4j", stdin: dump });
}

Deno.test("test deployment is a real Infrahub deployment in small", async (t) => {
  await using deployment = await Deployment.start();
  await neo4jReady(deployment);
  await postgresReady(deployment);
  await seedNeo4j(deployment, 600);
  await seedPostgres(deployment, 2000);

  await t.step("all services run, and Compose lists the project", async () => {
    assertEquals(await deployment.running(), SERVICES.toSorted());
    const projects = text(await deployment.docker(["compose", "ls", "-q"]));
    assert(projects.split("\n").includes(deployment.project));
    assertStringIncludes(text(await deployment.compose(["ps", "-a"])), "infrahub");
  });

  await t.step("the engine stays while somebody uses it, whoever else ends", async () => {
    const containers = (await deployment.containers()).map(({ id }) => id);
    await bringDown(await bringUp());
    assertEquals((await deployment.containers()).map(({ id }) => id), containers);
  });

  await t.step("containers find each other by name", async () => {
    for (const service of ["database", "task-manager-db"]) {
      const lookup = await deployment.exec("task-worker", ["getent", "hosts", service]);
      assertStringIncludes(text(lookup), await deployment.address(service) ?? "no address");
    }
  });

  await t.step("stand-ins answer what the tool asks", async () => {
    const version = ["python", "-c", "import infrahub; print(infrahub.__version__)"];
    assertEquals(text(await deployment.exec("infrahub-server", version)), "1.8.2\n");
    const list = [
      "infrahubctl",
      "task",
      "list",
      "--json",
      "--state",
      "running",
      "--state",
      "pending",
    ];
    assertEquals(text(await deployment.exec("task-worker", list)), "[]\n");
    const tasks = '[{"id": "1", "title": "merge"}]\n';
    await deployment.exec("task-worker", ["sh", "-c", "cat > /e2e/infrahubctl.out"], {
      stdin: new TextEncoder().encode(tasks),
    });
    assertEquals(text(await deployment.exec("task-worker", list)), tasks);
    await deployment.exec("task-worker", ["sh", "-c", "rm /e2e/infrahubctl.out"]);
    const address = ["printenv", "INFRAHUB_INTERNAL_ADDRESS"];
    assertEquals(
      text(await deployment.exec("task-worker", address)),
      "http://infrahub-server:8000\n",
    );
    const unknown = await deployment.exec("task-worker", ["infrahubctl", "x"], { mayFail: true });
    assertEquals(unknown.code, 2);
    assertStringIncludes(unknown.stderr, "No such command");
    await deployment.exec("message-queue", [
      "find",
      "/var/lib/rabbitmq",
      "-mindepth",
      "1",
      "-delete",
    ]);
  });

  await t.step("Neo4j has the processes, user and files of the official image", async () => {
    const edition = await cypherShell(
      deployment,
      "-d",
      "system",
      "CALL dbms.components() YIELD edition",
    );
    assertEquals(edition.trim().split("\n").at(-1), '"community"');
    const pid = text(await deployment.exec("database", ["cat", PID_FILE])).trim();
    const parent = `sed -n 's/^PPid:\\t//p' /proc/${pid}/status; cat /proc/1/comm`;
    assertEquals(text(await deployment.exec("database", ["sh", "-c", parent])), "1\ntini\n");
    const uid = `sed -n 's/^Uid:\\t\\([0-9]*\\).*/\\1/p' /proc/${pid}/status`;
    assertEquals(text(await deployment.exec("database", ["sh", "-c", uid])), "7474\n");
    const folders = ["readlink", "-f", "/var/lib/neo4j/data", "/var/lib/neo4j/logs"];
    assertEquals(text(await deployment.exec("database", folders)), "/data\n/logs\n");
  });

  await t.step("PostgreSQL dump restores every row, and a change is seen", async () => {
    const before = await readAllRows(deployment);
    assert(before.length > 8000, `${before.length} lines`);
    const dump = await deployment.exec(
      "task-manager-db",
      ["pg_dump", "-Fc", "-Z0", ...PG, "-d", "prefect"],
      { env: pgPassword(deployment) },
    );
    assertEquals(new TextDecoder().decode(dump.stdout.subarray(0, 5)), "PGDMP");
    await sql(
      deployment,
      "UPDATE flow_run SET note = 'changed' WHERE id % 100 = 0; DELETE FROM task_run WHERE id = 7;",
    );
    await seedPostgres(deployment, 10, "late");
    assertNotEquals(await readAllRows(deployment), before);
    await deployment.exec("task-manager-db", [
      "pg_restore",
      "-d",
      "postgres",
      "--clean",
      "--create",
    ], {
      user: "postgres",
      stdin: dump.stdout,
    });
    assertEquals(await readAllRows(deployment), before);
  });

  for (const fault of ["fails", "killed", "empty", "cut"] as const) {
    await t.step(
      `a dump that ${fault === "fails" ? fault : `is ${fault}`} can be had`,
      async () => {
        const target = { service: "task-manager-db", program: "pg_dump", when: "*-Fc*" };
        const dump = ["pg_dump", "-Fc", "-Z0", ...PG, "-d", "prefect"];
        const result = await withProgram(deployment, target, FAULTS.dump[fault], () => {
          return deployment.exec("task-manager-db", dump, {
            env: pgPassword(deployment),
            mayFail: true,
          });
        });
        assertEquals(result.code, { fails: 1, killed: 137, empty: 0, cut: 0 }[fault]);
        assertEquals(result.stdout.length, fault === "empty" ? 0 : PART_BYTES);
        const real = await deployment.exec("task-manager-db", dump, {
          env: pgPassword(deployment),
        });
        assert(real.stdout.length > PART_BYTES, `${real.stdout.length} bytes`);
      },
    );
  }

  await t.step("Neo4j dump restores every node, and a change is seen", async () => {
    const before = await readAllNodes(deployment);
    assert(before.length > 1200, `${before.length} lines`);
    const dump = await dumpNeo4j(deployment);
    assertEquals(new TextDecoder().decode(dump.subarray(0, 4)), "DZV1");
    assertEquals([...dump.subarray(4, 8)], [0x28, 0xb5, 0x2f, 0xfd]);
    await neo4jReady(deployment);
    assertEquals(await restarts(deployment), "1");
    assertEquals(await readAllNodes(deployment), before);
    await cypher(deployment, "MATCH (v:AttributeValue) WHERE v.number % 50 = 0 DETACH DELETE v");
    await seedNeo4j(deployment, 20, "late");
    assertNotEquals(await readAllNodes(deployment), before);
    await loadNeo4j(deployment, dump);
    await neo4jReady(deployment);
    assertEquals(await readAllNodes(deployment), before);
  });

  await t.step("a load of a damaged dump exits non-zero", async () => {
    await using _held = await holdNeo4j(deployment);
    const load = [
      "neo4j-admin",
      "database",
      "load",
      "--from-stdin",
      "--overwrite-destination=true",
    ];
    const result = await deployment.exec("database", [...load, "damaged"], {
      user: "neo4j",
      stdin: new TextEncoder().encode("DZV1 this is no dump"),
      mayFail: true,
    });
    assertNotEquals(result.code, 0);
  });
  await neo4jReady(deployment);

  await t.step("stopping and starting services by name works without the file", async () => {
    await deployment.compose(["stop", "infrahub-server", "task-worker"]);
    assertEquals(
      await deployment.running(),
      SERVICES.filter((name) => name !== "infrahub-server" && name !== "task-worker").toSorted(),
    );
    await deployment.compose(["start", "infrahub-server", "task-worker"]);
    assertEquals(await deployment.running(), SERVICES.toSorted());
  });
});
