import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import { waitForPostgres } from "../../../../src/infrahub/postgres/readiness.ts";
import { postgresServer } from "./_server.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const DB = "task-manager-db";
const SERVER = postgresServer();
const NO = failure(["x"], 1, "no");
const STARTING = failure(["psql"], 2, "the database system is starting up");

function setUp(environment: FakeEnvironment) {
  const { deployment, clock } = fakeDeployment(environment);
  return { clock, wait: () => waitForPostgres(deployment, SERVER, { timeoutMs: 10_000 }) };
}

Deno.test("waitForPostgres() is not content with a server that only accepts connections", async () => {
  const environment = new FakeEnvironment()
    .on(DB, "pg_isready", NO, "")
    .on(DB, "psql", STARTING, STARTING, "1");
  const { clock, wait } = setUp(environment);
  await wait();
  assertEquals(clock.now(), 2_000);
  assertEquals(environment.calls.at(-1)?.argv.at(-1), "SELECT 1");
});

Deno.test("waitForPostgres() takes the socket where TCP is not let in", async () => {
  const environment = new FakeEnvironment().on(DB, "pg_isready", "").on(DB, "psql", NO, "1");
  const { clock, wait } = setUp(environment);
  await wait();
  const hosts = environment.calls.slice(1).map(({ argv }) => argv.includes("localhost"));
  assertEquals([hosts, clock.now()], [[true, false], 0]);
});

Deno.test("waitForPostgres() gives up with the reason that TCP gave", async () => {
  const environment = new FakeEnvironment().on(DB, "pg_isready", "")
    .on(DB, "-h localhost", STARTING).on(DB, "psql", NO);
  const { message } = await assertRejects(setUp(environment).wait, DeploymentError);
  assertStringIncludes(message, "PostgreSQL did not become ready within 10s: ");
  assertStringIncludes(message, "starting up");
});
