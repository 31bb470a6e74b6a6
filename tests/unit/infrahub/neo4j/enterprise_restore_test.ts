import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import { openNeo4jEnterpriseTarget } from "../../../../src/infrahub/neo4j/enterprise.ts";
import type { EnterpriseRestoreOptions } from "../../../../src/infrahub/neo4j/enterprise_restore.ts";
import { failure } from "../fake_environment.ts";
import { CREDENTIALS, setUp, steps } from "./_enterprise.ts";

const NO = failure(["x"], 1, "no");

const OPTIONS: EnterpriseRestoreOptions = { stallTimeoutMs: 0, migrateFormat: false };

async function restore(
  fake: ReturnType<typeof setUp>,
  options: EnterpriseRestoreOptions = OPTIONS,
) {
  const target = await openNeo4jEnterpriseTarget(
    fake.deployment,
    CREDENTIALS,
    fake.journal,
    options,
  );
  await target.write(new TextEncoder().encode("tar"));
  await target.close();
}

const SETTINGS =
  "SHOW SETTINGS 'server.directories.data', 'server.directories.transaction.logs.root' " +
  "YIELD name, value RETURN name, value";
const METADATA = 'sh -c if [ -e "$1" ]; then cypher-shell -d system --param "$2" <"$1"; fi sh ' +
  "/srv/data/scripts/graph/restore_metadata.cypher database => 'graph'";
const RESTORE = "neo4j-admin database restore --expand-commands --overwrite-destination=true " +
  "--from-path=/tmp/WORK/infrahubops graph";

Deno.test("openNeo4jEnterpriseTarget() restores a single server", async () => {
  const fake = setUp();
  await restore(fake, { ...OPTIONS, migrateFormat: true });
  assertEquals(steps(fake.environment), [
    "mkdir -m 700 /tmp/WORK",
    "tar xf - -C /tmp/WORK",
    "ls -A /tmp/WORK",
    "chown -R neo4j:neo4j /tmp/WORK",
    "whoami",
    "SHOW SERVERS YIELD * RETURN count(*) as serverCount",
    SETTINGS,
    "rm -f /srv/data/scripts/graph/restore_metadata.cypher",
    "stop database `graph`",
    RESTORE,
    "neo4j-admin database migrate --expand-commands --to-format=block graph",
    METADATA,
    "start database `graph`",
    "SHOW DATABASE `graph` YIELD currentStatus RETURN currentStatus",
    "SHOW DATABASE `graph` YIELD currentStatus RETURN currentStatus",
    "rm -rf /tmp/WORK",
  ]);
  for (const text of ["database restore", "migrate", "restore_metadata.cypher"]) {
    assertEquals(fake.environment.find(text).user, "neo4j");
  }
  const metadata = fake.environment.calls.find(({ argv }) => argv[0] === "sh");
  assertEquals(metadata?.secrets.NEO4J_PASSWORD, "hu'sh $(x)");
  for (const { command } of fake.environment.calls) assertEquals(command.includes("hu'sh"), false);
  assertEquals(fake.journal.pending, []);
});

Deno.test("openNeo4jEnterpriseTarget() names the step of a single server that failed", async (t) => {
  const rows: [string, RegExp | string, string, boolean][] = [
    ["tar", /^tar xf/, "failed to copy backup to container: ", false],
    ["chown", /^chown/, "failed to change backup ownership: ", false],
    ["stop", "stop database", "failed to stop neo4j database: ", true],
    ["restore", "database restore", "failed to restore neo4j: ", true],
    ["metadata", /^sh -c/, "failed to restore neo4j metadata: ", true],
  ];
  for (const [name, pattern, message, started] of rows) {
    await t.step(name, async () => {
      const fake = setUp((e) => e.on("database", pattern, NO));
      await assertRejects(() => restore(fake), DeploymentError, message);
      assertEquals(fake.journal.pending.length, started ? 1 : 0);
      await fake.journal.undo();
      assertEquals(fake.journal.pending, []);
      assertEquals(steps(fake.environment).includes("start database `graph`"), started);
      // Whoever reads "as before" finds a database that answers.
      assertEquals(
        steps(fake.environment).filter((step) => step.startsWith("SHOW DATABASE")).length,
        started ? 2 : 0,
      );
      assertEquals(steps(fake.environment).includes("rm -rf /tmp/WORK"), true);
    });
  }
});

Deno.test("openNeo4jEnterpriseTarget() waits for the database though the run was ended", async () => {
  const controller = new AbortController();
  const fake = setUp((e) =>
    e.on("database", "start database", () => {
      controller.abort(new Error("SIGTERM"));
      return "";
    })
  );
  const deployment = { ...fake.deployment, signal: controller.signal };
  await restore({ ...fake, deployment });
  const looks = steps(fake.environment).filter((step) => step.includes("currentStatus"));
  assertEquals(looks.length, 2);
});

Deno.test("openNeo4jEnterpriseTarget() says that a half restored database has to be started by hand", async () => {
  const fake = setUp((e) =>
    e.on("database", "database restore", NO)
      .on("database", "currentStatus", 'currentStatus\n"offline"')
  );
  await assertRejects(() => restore(fake), DeploymentError, "failed to restore neo4j: ");
  await fake.journal.undo();
  assertEquals(fake.journal.pending, ["start Neo4j database graph"]);
  assertStringIncludes(
    fake.lines.join("\n"),
    "Neo4j database graph did not come online within 2m0s: it is offline",
  );
});

Deno.test("openNeo4jEnterpriseTarget() restores a cluster with its own topology", async () => {
  const fake = setUp((e) => e.on("database", "SHOW SERVERS", "serverCount\n3"));
  await restore(fake);
  assertEquals(steps(fake.environment).slice(6), [
    "CALL dbms.cluster.statusCheck([]) YIELD requester, serverId RETURN requester, serverId",
    "SHOW DATABASE `graph` YIELD requestedPrimariesCount, requestedSecondariesCount RETURN " +
    "requestedPrimariesCount, requestedSecondariesCount LIMIT 1",
    SETTINGS,
    "rm -f /srv/data/scripts/graph/restore_metadata.cypher",
    "STOP DATABASE `graph`",
    "DROP DATABASE `graph` IF EXISTS",
    RESTORE,
    "CREATE DATABASE `graph`\nTOPOLOGY 1 PRIMARY 2 SECONDARIES\nOPTIONS {\n  existingData: 'use',\n" +
    "  existingDataSeedInstance: 's2'\n}",
    "SHOW DATABASE `graph` YIELD currentStatus RETURN currentStatus",
    "SHOW DATABASE `graph` YIELD currentStatus RETURN currentStatus",
    METADATA,
    "rm -rf /tmp/WORK",
  ]);
});

Deno.test("openNeo4jEnterpriseTarget() fails when a cluster does not come online", async () => {
  const fake = setUp((e) =>
    e.on("database", "SHOW SERVERS", "serverCount\n3")
      .on(
        "database",
        "SHOW SETTINGS",
        'name, value\n"server.directories.data", "/srv/data"\n' +
          '"server.directories.transaction.logs.root", "/srv/data/transactions"',
      )
      .on("database", "currentStatus", 'currentStatus\n"online"\n"starting"')
  );
  await assertRejects(
    () => restore(fake),
    DeploymentError,
    "Neo4j database graph did not come online within 10m0s: it is online, starting",
  );
});

Deno.test("openNeo4jEnterpriseTarget() does not drop what it cannot seed", async () => {
  const fake = setUp((e) =>
    e.on("database", "SHOW SERVERS", "serverCount\n3")
      .on("database", "statusCheck", 'requester, serverId\nfalse, "s1"')
  );
  await assertRejects(
    () => restore(fake),
    DeploymentError,
    "failed to find current server ID (no requester=true found in output)",
  );
  assertEquals(steps(fake.environment).some((step) => step.startsWith("DROP")), false);
});

Deno.test("openNeo4jEnterpriseTarget() tries the option's newer name, and says what is missing", async () => {
  const unknown = failure(["x"], 1, "Unrecognised option existingDataSeedInstance");
  const fake = setUp((e) =>
    e.on("database", "SHOW SERVERS", "serverCount\n3")
      .on("database", "existingDataSeedInstance", unknown)
      .on("database", "existingDataSeedServer", NO)
  );
  const error = await assertRejects(() => restore(fake), DeploymentError);
  assertStringIncludes(error.message, "failed to create database with seeder: ");
  assertStringIncludes(error.message, "database graph has been dropped and is not back yet");
});
