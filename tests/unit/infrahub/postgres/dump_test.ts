import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import {
  checkPostgresSource,
  postgresSource,
  startPostgres,
} from "../../../../src/infrahub/postgres/dump.ts";
import { readAll } from "../_support.ts";
import { postgresServer } from "./_server.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const DB = "task-manager-db";
const SERVER = postgresServer();
const NO = failure(["x"], 1, "no");

function setUp(
  prepare: (environment: FakeEnvironment) => void = () => {},
  kind: "docker" | "kubernetes" = "docker",
) {
  const environment = new FakeEnvironment(kind);
  prepare(environment);
  environment.on(DB, "psql", "").on(DB, "pg_isready", "");
  return { environment, ...fakeDeployment(environment) };
}

Deno.test("postgresSource() dumps over TCP, the password aside", async () => {
  const { environment, deployment } = setUp((e) => e.on(DB, "pg_dump", "PGDMP"));
  const source = postgresSource(deployment, SERVER, { stallTimeoutMs: 0 });
  const { content, finished } = await source.open(deployment.signal);
  await readAll(content);
  await finished;
  assertEquals(environment.log, [`${DB}: pg_dump -Fc -Z0 -h localhost -U prefect -d prefect`]);
  assertEquals(environment.calls[0]?.secrets, { PGPASSWORD: "hush" });
});

Deno.test("checkPostgresSource() tells the server's version, or that it was not told", async (t) => {
  const rows = [
    ["160004\n150013\n1", "15.13"],
    ["180000\n180000\n1", "18.0"],
    ["120001\n90624\n1", "9.6.24"],
    ["16\nfifteen\n1", undefined],
    ["", undefined],
  ] as const;
  for (const [answer, version] of rows) {
    await t.step(JSON.stringify(answer), async () => {
      const { deployment, lines } = setUp((e) => e.on(DB, "server_version_num", answer));
      assertEquals(await checkPostgresSource(deployment, SERVER), version);
      const warnings = lines.filter((line) => line.startsWith("warn "));
      assertEquals(
        warnings,
        version !== undefined ? [] : [
          `warn Could not find out PostgreSQL's version: unexpected answer ${
            JSON.stringify(answer)
          }`,
        ],
      );
    });
  }
});

Deno.test("startPostgres() starts what is down and waits for an answer", async () => {
  const { environment, deployment } = setUp((e) => {
    e.statuses.set(DB, "stopped");
    e.on(DB, "pg_isready", NO, NO, "");
  });
  await startPostgres(deployment, SERVER);
  assertEquals(environment.log[0], `start ${DB}`);
  assertEquals(environment.calls.at(-1)?.argv.at(-1), "SELECT 1");
});

Deno.test("startPostgres() is not kept from it by an operator on Kubernetes", async (t) => {
  const failing = (e: FakeEnvironment) => {
    e.statuses.set(DB, "stopped");
    e.onService("start", DB, NO);
  };
  await t.step("kubernetes", async () => {
    const { deployment, lines } = setUp(failing, "kubernetes");
    await startPostgres(deployment, SERVER);
    assertStringIncludes(lines[0] ?? "", "(may be externally managed)");
  });
  await t.step("docker", async () => {
    const { deployment } = setUp(failing);
    await assertRejects(
      () => startPostgres(deployment, SERVER),
      DeploymentError,
      "failed to start task-manager-db: ",
    );
  });
  await t.step("never ready", async () => {
    const { deployment } = setUp((e) => e.on(DB, "pg_isready", NO));
    await assertRejects(
      () => startPostgres(deployment, SERVER),
      DeploymentError,
      "PostgreSQL did not become ready within 5m0s: ",
    );
  });
});
