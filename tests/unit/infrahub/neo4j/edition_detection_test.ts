import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  DeploymentError,
  DeploymentRefusedError,
} from "../../../../src/infrahub/deployment/deployment.ts";
import {
  detectEdition,
  resolveRestoreEdition,
} from "../../../../src/infrahub/neo4j/edition_detection.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = { database: "neo4j", username: "me", password: new Secret("hush") };
const NO = failure(["x"], 1, "no");

Deno.test("detectEdition() asks for the edition of the server by its name", async (t) => {
  const rows = [
    // 5.26, with capitals as some version may have them, and 2026.05.
    ['name, edition\n"Neo4j Kernel", "community"', "community"],
    ['name, edition\n"Neo4j Kernel", "Enterprise"\n\n', "enterprise"],
    ['name, edition\n"Neo4j Kernel", "community"\n"Cypher", ""', "community"],
    ['name, edition\n"Cypher", ""\n"Neo4j Kernel", "enterprise"', "enterprise"],
  ] as const;
  for (const [answer, edition] of rows) {
    await t.step(answer, async () => {
      const environment = new FakeEnvironment().on("database", "cypher-shell", answer);
      const { deployment, lines } = fakeDeployment(environment);
      assertEquals(await detectEdition(deployment, CREDENTIALS, { purpose: "backup" }), edition);
      assertEquals(environment.log, [
        "database: cypher-shell -d system --format plain CALL dbms.components() YIELD name, " +
        "edition RETURN name, edition",
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
  for (const answer of [NO, "", 'name, edition\n"Neo4j Kernel", "5.26"']) {
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

Deno.test("detectEdition() shows the whole of an answer that it does not understand", async () => {
  const answer = 'name, edition\n"Cypher", ""';
  const environment = new FakeEnvironment().on("database", "cypher-shell", answer);
  const { deployment } = fakeDeployment(environment);
  await assertRejects(
    () => detectEdition(deployment, CREDENTIALS, { purpose: "backup" }),
    DeploymentError,
    `unexpected answer ${JSON.stringify(answer)}`,
  );
});

Deno.test("detectEdition() lets a given edition stand, with a warning", async () => {
  const environment = new FakeEnvironment().on(
    "database",
    "cypher-shell",
    'name, edition\n"Neo4j Kernel", "community"',
  );
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
      .on("database", "cypher-shell", 'name, edition\n"Neo4j Kernel", "community"')
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
