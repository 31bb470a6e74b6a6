import { assertEquals } from "@std/assert";
import {
  compareComponents,
  possibleRecordPaths,
  recordPath,
} from "../../../src/infrahub/component.ts";

Deno.test("recordPath names the record of each component", () => {
  assertEquals(recordPath("neo4j", "enterprise"), "/neo4j-backup.tar");
  assertEquals(recordPath("neo4j", "community"), "/neo4j.dump");
  assertEquals(recordPath("postgres", "enterprise"), "/prefect.dump");
  assertEquals(recordPath("metadata", "community"), "/backup_information.json");
});

Deno.test("possibleRecordPaths allows either edition's dump for neo4j only", () => {
  assertEquals(possibleRecordPaths("neo4j"), ["/neo4j-backup.tar", "/neo4j.dump"]);
  assertEquals(possibleRecordPaths("postgres"), ["/prefect.dump"]);
});

Deno.test("compareComponents puts unknown names last", () => {
  assertEquals(
    ["zoo", "metadata", "art", "postgres", "neo4j"].sort(compareComponents),
    ["neo4j", "postgres", "metadata", "art", "zoo"],
  );
});
