import { assertEquals, assertRejects } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import { findNeo4jDirectories } from "../../../../src/infrahub/neo4j/_directories.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = { database: "graph", username: "me", password: new Secret("hush") };

function find(answer: string) {
  const environment = new FakeEnvironment().on("database", "SHOW SETTINGS", answer);
  return findNeo4jDirectories(fakeDeployment(environment).deployment, CREDENTIALS);
}

Deno.test("findNeo4jDirectories() takes paths as the server says them, commas and all", async () => {
  const answer = 'name, value\n"server.directories.data", "/srv/a, b/"\n' +
    '"server.directories.transaction.logs.root", "/logs"';
  assertEquals(await find(answer), { data: "/srv/a, b", transactions: "/logs" });
});

Deno.test("findNeo4jDirectories() does not guess where Neo4j keeps its databases", async (t) => {
  for (const answer of ["", "name, value", '"server.directories.data", "relative"']) {
    await t.step(JSON.stringify(answer), async () => {
      await assertRejects(
        () => find(answer),
        DeploymentError,
        "it does not tell its setting server.directories.data",
      );
    });
  }
});
