import { assertEquals, assertThrows } from "@std/assert";
import { InvalidInputError } from "../../../../src/infrahub/errors.ts";
import {
  checkNeo4jDatabaseName,
  parseRows,
  quoteCypherName,
  quoteCypherText,
  runCypher,
} from "../../../../src/infrahub/neo4j/cypher.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

Deno.test("names are quoted in Cypher, and must be names for neo4j-admin", () => {
  assertEquals(quoteCypherName("a`b-c"), "`a``b-c`");
  assertEquals(quoteCypherText("it's \\ that"), "'it\\'s \\\\ that'");
  assertEquals(checkNeo4jDatabaseName("my.db-1"), "my.db-1");
  for (const name of ["*", "--all", "a b", "", "a;b"]) {
    assertThrows(() => checkNeo4jDatabaseName(name), InvalidInputError);
  }
});

Deno.test("runCypher() passes values as parameters, and the password where nobody reads it", async () => {
  const environment = new FakeEnvironment().on("database", "cypher-shell", "n\n1");
  const { deployment } = fakeDeployment(environment);
  const credentials = { database: "graph", username: "me", password: new Secret("hush") };
  const query = "RETURN $text";
  await runCypher(deployment, credentials, { query, parameters: { text: "it's" } });
  const [call] = environment.calls;
  assertEquals(call?.argv, [
    "cypher-shell",
    "-d",
    "system",
    "--format",
    "plain",
    "--param",
    "text => 'it\\'s'",
    query,
  ]);
  assertEquals(call?.secrets, { NEO4J_USERNAME: "me", NEO4J_PASSWORD: "hush" });
  assertEquals(call?.env, {});
});

Deno.test("parseRows() gives values without their quotes, and no names of columns", () => {
  assertEquals(parseRows('a, b\n"x y", 1\n\n"", TRUE\n'), [["x y", "1"], ["", "TRUE"]]);
  assertEquals(parseRows(""), []);
});
