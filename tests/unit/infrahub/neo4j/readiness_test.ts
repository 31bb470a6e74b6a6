import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseNotOpenedError, waitForNeo4j } from "../../../../src/infrahub/neo4j/readiness.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = { database: "graph", username: "neo4j", password: new Secret("secret") };

const REFUSED = failure(["cypher-shell"], 1, "Connection refused");
const UNAVAILABLE = failure(
  ["cypher-shell"],
  1,
  "Unable to get a routing table for database 'graph' because this database is unavailable",
);

function statuses(...rows: string[]): string {
  return ["currentStatus, requestedStatus, statusMessage", ...rows].join("\n");
}

const GIVEN_UP = '"offline", "online", "An error occurred! Unable to start, see the log."';

Deno.test("waitForNeo4j() waits for a server that does not answer yet, and asks it nothing else", async () => {
  const environment = new FakeEnvironment().on("database", "RETURN 1", REFUSED, REFUSED, "1\n1");
  await waitForNeo4j(fakeDeployment(environment).deployment, CREDENTIALS);
  assertEquals(environment.log.length, 3);
});

Deno.test("waitForNeo4j() gives up at once on a database that Neo4j cannot open", async () => {
  const environment = new FakeEnvironment()
    .on("database", "RETURN 1", UNAVAILABLE)
    .on("database", "SHOW DATABASE `graph`", statuses(GIVEN_UP));
  await assertRejects(
    () => waitForNeo4j(fakeDeployment(environment).deployment, CREDENTIALS),
    DatabaseNotOpenedError,
    "Neo4j runs, but cannot open database graph: An error occurred! Unable to start, see the log.",
  );
  assertEquals(environment.log.length, 2);
});

for (
  const [what, answer] of [
    ["is being opened", statuses('"starting", "online", ""')],
    ["is about to be opened", statuses('"offline", "online", ""')],
    ["was stopped by somebody", statuses('"offline", "offline", "stopped"')],
    ["another server of the cluster can open", statuses(GIVEN_UP, '"online", "online", ""')],
    ["is not known yet", statuses()],
    ["cannot be asked about", REFUSED],
  ] as const
) {
  Deno.test(`waitForNeo4j() waits for a database that ${what}`, async () => {
    const environment = new FakeEnvironment()
      .on("database", "RETURN 1", UNAVAILABLE, UNAVAILABLE, "1\n1")
      .on("database", "SHOW DATABASE", answer);
    await waitForNeo4j(fakeDeployment(environment).deployment, CREDENTIALS);
    assertEquals(environment.log.length, 5);
  });
}
