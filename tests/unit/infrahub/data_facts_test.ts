import { assertEquals } from "@std/assert";
import {
  compareVersions,
  dataFields,
  readDataFields,
  versionNumbers,
} from "../../../src/infrahub/data_facts.ts";

Deno.test("facts come back from their fields, as far as they are such", () => {
  const all = { graph: 79, neo4j: "2026.05.0", neo4jBytes: 1_048_576, postgres: "15.13" };
  const fields = {
    infrahub_graph: "79",
    neo4j_version: "2026.05.0",
    neo4j_bytes: "1048576",
    postgres_version: "15.13",
  };
  assertEquals(dataFields(all), fields);
  assertEquals(readDataFields(fields), all);
  assertEquals(dataFields({ graph: 0 }), { infrahub_graph: "0" });
  assertEquals(dataFields({}), undefined);
  assertEquals(readDataFields(), {});
  assertEquals(
    readDataFields({
      infrahub_graph: "79a",
      neo4j_version: "five",
      postgres_version: "",
      other: "1",
    }),
    {},
  );
  assertEquals(
    readDataFields({ infrahub_graph: "-1", neo4j_version: "5.", neo4j_bytes: "1e9" }),
    {},
  );
  assertEquals(readDataFields({ infrahub_graph: "12345678901" }), {});
});

Deno.test("versions are compared as numbers", () => {
  const compare = (a: string, b: string) =>
    Math.sign(compareVersions(versionNumbers(a), versionNumbers(b)));
  assertEquals(compare("1.11.9", "1.11.10"), -1);
  assertEquals(compare("v1.11.9", "1.11.9"), 0);
  assertEquals(compare("1.11", "1.11.0"), 0);
  assertEquals(compare("2026.05.0", "5.26.12"), 1);
  assertEquals(compare("1.12.0b1", "1.11.9"), 1);
  assertEquals(versionNumbers("unknown"), []);
  assertEquals(versionNumbers(""), []);
});
