import { assertEquals, assertThrows } from "@std/assert";
import {
  InvalidInputError,
  type Neo4jEdition,
  resolveEdition,
} from "../../../../src/infrahub/mod.ts";

Deno.test("resolveEdition prefers the given name, else looks at the file's name", async (t) => {
  const rows: [string | undefined, string | undefined, Neo4jEdition, boolean][] = [
    [undefined, "/d/neo4j.dump", "community", true],
    ["", "/d/neo4j.dump", "community", true],
    [undefined, "/d/neo4j", "enterprise", true],
    [undefined, "/d/neo4j.dump.gz", "enterprise", true],
    [undefined, undefined, "enterprise", true],
    ["Enterprise", "/d/neo4j.dump", "enterprise", false],
    ["COMMUNITY", "/d/neo4j", "community", false],
  ];
  for (const [given, path, edition, guessed] of rows) {
    await t.step(`${given} ${path}`, () => {
      assertEquals(resolveEdition(given, path), { edition, guessed });
    });
  }
});

Deno.test("resolveEdition refuses other names", () => {
  assertThrows(
    () => resolveEdition("aura"),
    InvalidInputError,
    "unknown neo4j edition: aura, expected 'enterprise' or 'community'",
  );
});
