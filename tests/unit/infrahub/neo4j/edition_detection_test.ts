import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { InvalidInputError, requireRedactionConfirmed } from "../../../../src/infrahub/mod.ts";
import {
  DeploymentError,
  DeploymentRefusedError,
} from "../../../../src/infrahub/deployment/deployment.ts";
import { detectInfrahubVersion } from "../../../../src/infrahub/deployment/infrahub_version.ts";
import { resetDeploymentId } from "../../../../src/infrahub/neo4j/deployment_id.ts";
import {
  detectEdition,
  resolveRestoreEdition,
} from "../../../../src/infrahub/neo4j/edition_detection.ts";
import { checkRedaction, redact } from "../../../../src/infrahub/neo4j/redaction.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = { database: "neo4j", username: "me", password: new Secret("hush") };
const NO = failure(["x"], 1, "no");

Deno.test("detectEdition() reads the last line of the answer", async (t) => {
  const rows = [
    ['edition\n"community"', "community"],
    ['edition\n"Enterprise"\n\n', "enterprise"],
  ] as const;
  for (const [answer, edition] of rows) {
    await t.step(edition, async () => {
      const environment = new FakeEnvironment().on("database", "cypher-shell", answer);
      const { deployment, lines } = fakeDeployment(environment);
      assertEquals(await detectEdition(deployment, CREDENTIALS, { purpose: "backup" }), edition);
      assertEquals(environment.log, [
        "database: cypher-shell -d system --format plain CALL dbms.components() YIELD edition",
      ]);
      assertEquals(environment.find("cypher-shell").secrets, {
        NEO4J_USERNAME: "me",
        NEO4J_PASSWORD: "hush",
      });
      assertEquals(lines, [`info Detected Neo4j ${edition} edition for backup`]);
    });
  }
});

Deno.test("detectEdition() does not guess", async (t) => {
  for (const answer of [NO, "", "edition\n5.26"]) {
    await t.step(String(answer), async () => {
      const environment = new FakeEnvironment().on("database", "cypher-shell", answer);
      const { deployment, lines } = fakeDeployment(environment);
      await assertRejects(
        () => detectEdition(deployment, CREDENTIALS, { purpose: "backup" }),
        DeploymentError,
        "could not detect neo4j edition: ",
      );
      const given = await detectEdition(deployment, CREDENTIALS, {
        purpose: "restore",
        given: "enterprise",
      });
      assertEquals(given, "enterprise");
      assertEquals(
        lines[0]?.startsWith("warn Could not determine Neo4j edition during restore; taking it"),
        true,
      );
    });
  }
});

Deno.test("detectEdition() lets a given edition stand, with a warning", async () => {
  const environment = new FakeEnvironment().on("database", "cypher-shell", 'edition\n"community"');
  const { deployment, lines } = fakeDeployment(environment);
  const options = { purpose: "backup", given: "enterprise" } as const;
  assertEquals(await detectEdition(deployment, CREDENTIALS, options), "enterprise");
  assertEquals(lines, [
    "warn Neo4j says that it is community edition; taking it for enterprise as given",
  ]);
});

Deno.test("detectEdition() starts Neo4j where it is down and may be started", async (t) => {
  const stopped = () => {
    const environment = new FakeEnvironment()
      .on("database", "cypher-shell", 'edition\n"community"')
      .onService("start", "database", () => {
        environment.statuses.set("database", "running");
        return "";
      });
    environment.statuses.set("database", "stopped");
    return environment;
  };
  await t.step("may", async () => {
    const environment = stopped();
    const { deployment, lines } = fakeDeployment(environment);
    const options = { purpose: "restore", mayStart: true } as const;
    assertEquals(await detectEdition(deployment, CREDENTIALS, options), "community");
    assertEquals(environment.log.slice(0, 2), [
      "start database",
      "database: cypher-shell -d neo4j --format plain RETURN 1",
    ]);
    assertEquals(lines[0], "warn Neo4j is down; starting it");
  });
  await t.step("may not", async () => {
    const environment = stopped();
    const { deployment } = fakeDeployment(environment);
    await assertRejects(
      () => detectEdition(deployment, CREDENTIALS, { purpose: "backup" }),
      DeploymentError,
      "could not detect neo4j edition: service database is stopped; start it first",
    );
    assertEquals(environment.log, []);
  });
  await t.step("cannot", async () => {
    const environment = new FakeEnvironment().onService("start", "database", NO);
    environment.statuses.set("database", "stopped");
    const { deployment } = fakeDeployment(environment);
    await assertRejects(
      () => detectEdition(deployment, CREDENTIALS, { purpose: "restore", mayStart: true }),
      DeploymentError,
      "could not detect neo4j edition: command",
    );
  });
});

Deno.test("resolveRestoreEdition() follows the reference", () => {
  assertEquals(resolveRestoreEdition("community", "enterprise"), "community");
  assertEquals(resolveRestoreEdition("community", "community"), "community");
  assertEquals(resolveRestoreEdition("enterprise", "enterprise"), "enterprise");
  assertEquals(resolveRestoreEdition("", "community"), "community");
  assertEquals(resolveRestoreEdition(undefined, "enterprise"), "enterprise");
  assertThrows(
    () => resolveRestoreEdition("Enterprise", "community"),
    DeploymentRefusedError,
    "cannot restore Enterprise backup on Community edition Neo4j",
  );
});

Deno.test("detectInfrahubVersion() takes the last line, or records unknown", async () => {
  const environment = new FakeEnvironment()
    .on("infrahub-server", "python -c", "a warning\n1.4.2\n", NO);
  const { deployment, lines } = fakeDeployment(environment);
  assertEquals(await detectInfrahubVersion(deployment), "1.4.2");
  assertEquals(await detectInfrahubVersion(deployment), "unknown");
  assertEquals(lines[0]?.startsWith("warn Could not detect Infrahub version: "), true);
});

Deno.test("redaction is confirmed and tried out before it is done", async () => {
  requireRedactionConfirmed({ redact: true, force: true });
  requireRedactionConfirmed({ redact: false, force: false });
  assertThrows(
    () => requireRedactionConfirmed({ redact: true, force: false }),
    InvalidInputError,
    "use --force to confirm",
  );
  const environment = new FakeEnvironment().on("database", "EXPLAIN", "", NO)
    .on("database", "cypher-shell", "", NO);
  const { deployment } = fakeDeployment(environment);
  await checkRedaction(deployment, CREDENTIALS);
  await redact(deployment, CREDENTIALS);
  const [check, act] = environment.calls;
  assertEquals(check?.argv.at(-1), `EXPLAIN ${act?.argv.at(-1)}`);
  assertEquals(act?.argv.slice(0, 3), ["cypher-shell", "-d", "neo4j"]);
  await assertRejects(() => checkRedaction(deployment, CREDENTIALS), DeploymentRefusedError);
  await assertRejects(
    () => redact(deployment, CREDENTIALS),
    DeploymentError,
    "failed to redact database: ",
  );
});

Deno.test("resetDeploymentId() tries until Neo4j answers, and checks that it changed something", async () => {
  const newId = "0e5bd0f8-0000-4000-8000-000000000000";
  const options = { newId, now: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)) };
  const environment = new FakeEnvironment()
    .on("database", "cypher-shell", NO, NO, `n\n(:Root {uuid: "${newId}"})`, "");
  const { deployment } = fakeDeployment(environment);
  assertEquals(await resetDeploymentId(deployment, CREDENTIALS, options), newId);
  assertEquals(environment.calls[2]?.argv, [
    "cypher-shell",
    "-d",
    "neo4j",
    "--format",
    "plain",
    "--param",
    `new_uuid => '${newId}'`,
    "--param",
    "updated_at => '2026-01-02T03:04:05Z'",
    "MATCH (n:Root) SET n.uuid = $new_uuid, n.updated_at = $updated_at RETURN n",
  ]);
  await assertRejects(
    () => resetDeploymentId(deployment, CREDENTIALS, options),
    DeploymentError,
    "failed to reset deployment ID within 5m0s: the database has no :Root node",
  );
});
