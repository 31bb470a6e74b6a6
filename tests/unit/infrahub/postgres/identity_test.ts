import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DeploymentRefusedError } from "../../../../src/infrahub/deployment/deployment.ts";
import { requireNamedServer } from "../../../../src/infrahub/postgres/identity.ts";
import { postgresServer } from "./_server.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const DB = "task-manager-db";
const NO = failure(["psql"], 2, "could not translate host name");

/** In a container, where `named` and `local` answer who they are. */
async function check(host: string, named: string | Error, local: string, isOfTaskManager = true) {
  const environment = new FakeEnvironment("kubernetes")
    .on(DB, "-h localhost", local)
    .on(DB, `-h ${host}`, named);
  const { deployment } = fakeDeployment(environment);
  await requireNamedServer(
    deployment,
    postgresServer({ endpoints: [{ host, port: "" }], isOfTaskManager }),
  );
  return environment.calls.length;
}

Deno.test("requireNamedServer() asks nobody about the service's own name", async () => {
  assertEquals(await check("task-manager-db", NO, "1|2"), 0);
  assertEquals(await check("", NO, "1|2", false), 0);
  assertEquals(await check("localhost", NO, "1|2", false), 0);
});

Deno.test("requireNamedServer() takes another name of the server beside which programs run", async () => {
  assertEquals(await check("release-postgresql", "1|2", "1|2"), 2);
});

Deno.test("requireNamedServer() refuses a server that is elsewhere, or that nobody can ask", async () => {
  const rows: [host: string, named: string | Error, reason: string][] = [
    ["db.example", "1|3", "the two are different servers"],
    ["db.example", NO, "it could not be asked from there"],
  ];
  for (const [host, named, reason] of rows) {
    const { message } = await assertRejects(
      () => check(host, named, "1|2"),
      DeploymentRefusedError,
      reason,
    );
    assertStringIncludes(message, "a test names the server db.example:5432");
    assertEquals(message.includes("hush"), false);
  }
});
