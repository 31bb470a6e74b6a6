import { assertEquals, assertStringIncludes } from "@std/assert";
import { measureNeo4j } from "../../../../src/infrahub/neo4j/store_size.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = { database: "graph", username: "me", password: new Secret("hush") };
const NO = failure(["x"], 1, "no");
const SETTINGS = 'name, value\n"server.directories.data", "/srv/neo4j/data"\n' +
  '"server.directories.transaction.logs.root", "/log/tx"';

Deno.test("measureNeo4j() looks where the server says that the database lies", async () => {
  const environment = new FakeEnvironment("host")
    .on("database", "SHOW SETTINGS", SETTINGS)
    .on("database", "du -skL /srv/neo4j/data/databases/graph", "20\t/x")
    .on("database", "du -skL /log/tx/graph", "300\t/x");
  const { deployment, lines } = fakeDeployment(environment);
  assertEquals(await measureNeo4j(deployment, CREDENTIALS), {
    store: 20 * 1024,
    transactionLogs: 300 * 1024,
  });
  assertEquals(lines, []);
});

Deno.test("measureNeo4j() warns of what it cannot find out", async (t) => {
  const rows: [string, (environment: FakeEnvironment) => void, string][] = [
    ["a server that is stopped", (e) => e.statuses.set("database", "stopped"), "is stopped"],
    ["settings that are not told", (e) => e.on("database", "SHOW SETTINGS", NO), "no"],
    ["settings that are others", (e) => e.on("database", "SHOW SETTINGS", "1\n1"), "directories"],
    [
      "a directory that cannot be read",
      (e) => e.on("database", "SHOW SETTINGS", SETTINGS).on("database", "du", NO),
      "/srv/neo4j/data/databases/graph cannot be measured",
    ],
  ];
  for (const [name, prepare, reason] of rows) {
    await t.step(name, async () => {
      const environment = new FakeEnvironment();
      prepare(environment);
      const { deployment, lines } = fakeDeployment(environment);
      assertEquals(await measureNeo4j(deployment, CREDENTIALS), undefined);
      const [warning = ""] = lines.filter((line) => line.startsWith("warn "));
      assertStringIncludes(warning, "warn The size of the Neo4j database is not known: ");
      assertStringIncludes(warning, reason);
    });
  }
});
