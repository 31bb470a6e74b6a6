import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DeploymentRefusedError } from "../../../../src/infrahub/deployment/deployment.ts";
import type { RestoreMaterial } from "../../../../src/infrahub/dump/restorable_dump.ts";
import {
  checkGraph,
  checkNeo4jVersion,
  checkRestoredGraph,
  migrateGraph,
} from "../../../../src/infrahub/run/version_check.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = { database: "neo4j", username: "me", password: new Secret("hush") };
const NO = failure(["x"], 1, "no");
const FITS = { migration: "none", reason: "" } as const;

function material(infrahubVersion: string, graph?: number): RestoreMaterial {
  return {
    backupId: "20260101_000000",
    infrahubVersion,
    neo4jEdition: "community",
    ...(graph === undefined ? {} : { data: { graph } }),
    neo4j: undefined,
    postgres: undefined,
    isWhole: true,
  };
}

/** A server whose code knows a graph, and has a version. */
function setUp(graph: string | Error, version: string | Error = NO) {
  const environment = new FakeEnvironment()
    .on("infrahub-server", "GRAPH_VERSION", graph)
    .on("infrahub-server", "infrahub.__version__", version);
  return { environment, ...fakeDeployment(environment) };
}

Deno.test("checkGraph() compares the graphs, and does not look at Infrahub's version then", async () => {
  const equal = setUp("79");
  assertEquals(await checkGraph(equal.deployment, material("9.9.9", 79), false), FITS);
  const older = setUp("79");
  assertEquals(await checkGraph(older.deployment, material("1.11.9", 78), false), {
    migration: "due",
    reason: "its graph is of version 78, and Infrahub expects version 79",
  });
  const newer = setUp("79");
  await assertRejects(
    () => checkGraph(newer.deployment, material("1.11.9", 80), false),
    DeploymentRefusedError,
    "the graph of the backup is of version 80, and the deployment's Infrahub only knows those up " +
      "to version 79; use --force to restore it all the same",
  );
  assertEquals(await checkGraph(newer.deployment, material("1.11.9", 80), true), FITS);
  assertStringIncludes(newer.lines.at(-1) ?? "", "restored all the same, as --force asks");
});

Deno.test("checkGraph() warns of code that cannot be asked, which is asked again later", async () => {
  const { deployment, lines } = setUp("");
  assertEquals((await checkGraph(deployment, material("1.0", 79), false)).migration, "unasked");
  assertStringIncludes(lines[1] ?? "", "warn Whether Infrahub knows the graph of the backup");
  const unknown = await checkRestoredGraph(deployment, 79);
  assertEquals(unknown, { migration: "possible", reason: "its graph is of version 79" });
  assertEquals(await checkRestoredGraph(setUp("79").deployment, 79), FITS);
  assertEquals((await checkRestoredGraph(setUp("81").deployment, 79)).migration, "due");
  const newer = setUp("78");
  assertEquals(await checkRestoredGraph(newer.deployment, 79), FITS);
  assertStringIncludes(newer.lines[0] ?? "", "warn The restored graph is of version 79, and Inf");
});

Deno.test("checkGraph() has to do with Infrahub's version where no graph was recorded", async (t) => {
  const rows = [
    ["1.11.9", "1.11.9", "none", 0],
    ["1.11.0", "1.11.9", "possible", 0],
    ["1.11.9", "1.11.0", "possible", 1],
    ["1.4.13", "1.11.9", "possible", 0],
    ["unknown", "1.11.9", "possible", 0],
    ["", "1.11.9", "possible", 0],
    ["1.11.9", NO, "possible", 1],
  ] as const;
  for (const [recorded, running, migration, warnings] of rows) {
    await t.step(`${recorded} on ${running}`, async () => {
      const { deployment, lines } = setUp(NO, running);
      const fit = await checkGraph(deployment, material(recorded), false);
      assertEquals([fit.migration, lines.length], [migration, warnings]);
    });
  }
  await t.step("1.12.0 on 1.11.9", async () => {
    const { deployment } = setUp(NO, "1.11.9");
    await assertRejects(
      () => checkGraph(deployment, material("1.12.0"), false),
      DeploymentRefusedError,
      "the backup is of Infrahub 1.12.0, which is newer than the running 1.11.9; use --force",
    );
    const forced = await checkGraph(deployment, material("1.12.0"), true);
    assertEquals(forced.migration, "possible");
  });
});

Deno.test("checkNeo4jVersion() refuses an older line, and tells an older patch release", async (t) => {
  const rows: [recorded: string | undefined, running: string, outcome: string][] = [
    ["5.26.12", "5.26.12", ""],
    ["5.26.12", "2026.05.0", ""],
    [undefined, "", ""],
    ["5.26.12", "5.26.9", "warn the backup is of Neo4j 5.26.12, and the server is Neo4j 5.26.9"],
    ["5.26.12", "", "warn Whether Neo4j can take a backup of Neo4j 5.26.12 has not been checked"],
    ["2026.05.0", "5.26.12", "refused"],
    ["2026.05.0", "2026.04.0", "refused"],
  ];
  for (const [recorded, running, outcome] of rows) {
    await t.step(`${recorded} on ${running}`, async () => {
      const environment = new FakeEnvironment().on(
        "database",
        "versions",
        running === "" ? "" : `name, versions\n"Neo4j Kernel", ["${running}"]`,
      );
      const { deployment, lines } = fakeDeployment(environment);
      const check = (force: boolean) =>
        checkNeo4jVersion(
          deployment,
          CREDENTIALS,
          recorded === undefined ? {} : { neo4j: recorded },
          force,
        );
      if (outcome !== "refused") {
        await check(false);
        assertEquals((lines.at(-1) ?? "").startsWith(outcome), true, lines.join("\n"));
        return assertEquals(lines.length > 0, outcome !== "");
      }
      const error = await assertRejects(() => check(false), DeploymentRefusedError);
      assertStringIncludes(error.message, "which is older; use --force to restore it all the same");
      await check(true);
      assertStringIncludes(lines.at(-1) ?? "", "restored all the same, as --force asks");
    });
  }
});

Deno.test("migrateGraph() says that it could not look whether the migration did it", async () => {
  const environment = new FakeEnvironment()
    .on("infrahub-server", "infrahub upgrade", "done")
    .on("infrahub-server", "GRAPH_VERSION", "79")
    .on("database", "graph_version", NO);
  const { deployment, lines } = fakeDeployment(environment);
  await migrateGraph(deployment, CREDENTIALS);
  assertEquals(
    lines.at(-1),
    'warn "infrahub upgrade" has succeeded; what it did could not be checked',
  );
});
