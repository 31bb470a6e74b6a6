import { assertEquals, assertRejects } from "@std/assert";
import { asNeo4j } from "../../../../src/infrahub/neo4j/_as_neo4j.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const whoami = (answer: string | Error) =>
  asNeo4j(fakeDeployment(new FakeEnvironment().on("database", "whoami", answer)).deployment);

Deno.test("asNeo4j() changes the user unless it is the server's already, or has no name", async () => {
  assertEquals(await whoami("root\n"), { user: "neo4j" });
  assertEquals(await whoami("neo4j\n"), {});
  assertEquals(await whoami(failure(["whoami"], 1, "cannot find name for user ID 1001")), {});
});

Deno.test("asNeo4j() does not take a failure of another kind for an answer", async () => {
  await assertRejects(() => whoami(new TypeError("no such container")), TypeError);
});
