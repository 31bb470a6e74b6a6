import { assertEquals, assertRejects } from "@std/assert";
import { DeploymentRefusedError } from "../../../../src/infrahub/deployment/deployment.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { checkArchiveSpace } from "../../../../src/infrahub/run/archive_space.ts";
import { postgresServer } from "../postgres/_server.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";
import { withTempDirectory } from "../_support.ts";

const CREDENTIALS = {
  neo4j: { database: "neo4j", username: "neo4j", password: new Secret("x") },
  postgres: () => postgresServer(),
  cache: { database: 0 },
};
const HUGE_KB = 10 ** 13;
const NO = failure(["x"], 1, "no");

/** Asks for the space of dumps of these sizes, in a directory that does not exist yet. */
async function check(
  neo4jKilobytes: number | undefined,
  postgresBytes: number | undefined,
  neo4jEdition: "community" | "enterprise" = "community",
) {
  const environment = new FakeEnvironment()
    .on("task-manager-db", "pg_database_size('prefect')", postgresBytes?.toString() ?? NO);
  const { deployment, lines } = fakeDeployment(environment);
  await withTempDirectory(async (directory) => {
    await checkArchiveSpace(deployment, CREDENTIALS, {
      directory: `${directory}/a/b`,
      neo4jEdition,
      excludeTaskManager: false,
      ...(neo4jKilobytes === undefined ? {} : { neo4jBytes: neo4jKilobytes * 1024 }),
    });
  });
  return lines.filter((line) => !line.startsWith("debug"));
}

Deno.test("checkArchiveSpace() tells what dumps and archive need, and what is free", async () => {
  const [line = "", ...others] = await check(1, 1024);
  assertEquals(/^info The backup needs up to 4\.0 KB in \S+, where .* are free$/.test(line), true);
  assertEquals(others, []);
});

Deno.test("checkArchiveSpace() says nothing of what it cannot find out", async () => {
  assertEquals(await check(undefined, undefined), []);
  const [line = ""] = await check(undefined, 512);
  assertEquals(line.startsWith("info The backup needs Neo4j's dump and 1.0 KB in "), true);
});

Deno.test("checkArchiveSpace() warns where the space may not suffice", async () => {
  const [, warning = ""] = await check(HUGE_KB, undefined);
  assertEquals(/^warn The space in \S+ may not suffice for the backup$/.test(warning), true);
});

Deno.test("checkArchiveSpace() refuses where an Enterprise backup cannot fit", async () => {
  await assertRejects(
    () => check(HUGE_KB, undefined, "enterprise"),
    DeploymentRefusedError,
    "not enough space in ",
  );
});
