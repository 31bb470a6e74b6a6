import { assertEquals, assertRejects } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import { resetDeploymentId } from "../../../../src/infrahub/neo4j/deployment_id.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = { database: "neo4j", username: "me", password: new Secret("hush") };
const NO = failure(["x"], 1, "no");

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
