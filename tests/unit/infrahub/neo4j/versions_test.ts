import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  readGraphVersion,
  readNeo4jVersion,
  readNeo4jVersions,
} from "../../../../src/infrahub/neo4j/versions.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = { database: "graph", username: "me", password: new Secret("hush") };
const NO = failure(["x"], 1, "no");

Deno.test("readNeo4jVersion() takes the server's, of whatever other components there are", async (t) => {
  const rows = [
    ['name, versions\n"Neo4j Kernel", ["5.26.12"]', "5.26.12"],
    ['name, versions\n"Neo4j Kernel", ["2026.05.0"]\n"Cypher", ["5", "25"]', "2026.05.0"],
    ['name, versions\n"Cypher", ["5", "25"]\n"Neo4j Kernel", ["2026.05.0-beta"]', "2026.05.0"],
    ['name, versions\n"Cypher", ["5"]', undefined],
    ['name, versions\n"Neo4j Kernel", []', undefined],
    ["", undefined],
    [NO, undefined],
  ] as const;
  for (const [answer, version] of rows) {
    await t.step(String(answer), async () => {
      const environment = new FakeEnvironment().on("database", "cypher-shell -d system", answer);
      const { deployment, lines } = fakeDeployment(environment);
      assertEquals(await readNeo4jVersion(deployment, CREDENTIALS), version);
      if (version !== undefined) return assertEquals(lines, []);
      assertStringIncludes(lines[0] ?? "", "warn Could not find out Neo4j's version: ");
      if (answer instanceof Error) return;
      assertStringIncludes(lines[0] ?? "", `unexpected answer ${JSON.stringify(answer)}`);
    });
  }
});

Deno.test("readGraphVersion() takes the one whole number of the one root", async (t) => {
  const rows = [
    ["graph_version\n79", 79],
    ['graph_version\n"79"\n', 79],
    ["graph_version\nNULL", undefined],
    ["graph_version", undefined],
    ["graph_version\n79\n80", undefined],
    ["1\n79", undefined],
    ["graph_version\n7.9", undefined],
    ["", undefined],
    [NO, undefined],
  ] as const;
  for (const [answer, version] of rows) {
    await t.step(String(answer), async () => {
      const environment = new FakeEnvironment().on("database", "cypher-shell -d graph", answer);
      const { deployment, lines } = fakeDeployment(environment);
      assertEquals(await readGraphVersion(deployment, CREDENTIALS), version);
      assertEquals(lines.length, version === undefined ? 1 : 0);
      if (version !== undefined || answer instanceof Error) return;
      assertStringIncludes(lines[0] ?? "", `unexpected answer ${JSON.stringify(answer)}`);
    });
  }
});

Deno.test("readNeo4jVersions() asks both, and says that a stopped server cannot be asked", async () => {
  const environment = new FakeEnvironment()
    .on("database", "versions", 'name, versions\n"Neo4j Kernel", ["5.26.12"]')
    .on("database", "graph_version", "graph_version\n79", "");
  const { deployment, lines } = fakeDeployment(environment);
  assertEquals(await readNeo4jVersions(deployment, CREDENTIALS), { graph: 79, neo4j: "5.26.12" });
  assertEquals(await readNeo4jVersions(deployment, CREDENTIALS), { neo4j: "5.26.12" });
  environment.statuses.set("database", "stopped");
  assertEquals(await readNeo4jVersions(deployment, CREDENTIALS), {});
  assertEquals(
    lines.at(-1),
    "warn service database is stopped: the versions of Neo4j and of Infrahub's graph are not recorded",
  );
});
