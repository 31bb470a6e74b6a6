import { assertEquals } from "@std/assert";
import { contentTypeByName } from "../../../../src/kloset/snapshot/content_type.ts";

Deno.test("contentTypeByName() goes by the last extension of the name, in either case", () => {
  const cases = {
    "/backup_information.json": "application/json",
    "/a.tar.GZ": "application/gzip",
    "/a/b.SQL": "application/sql",
    "/neo4j.dump": "application/octet-stream",
    "/dir.json/file": "application/octet-stream",
    "/.json": "application/json",
    "/json": "application/octet-stream",
    "/a.": "application/octet-stream",
    "/": "application/octet-stream",
  };
  for (const [path, type] of Object.entries(cases)) {
    assertEquals(contentTypeByName(path), type, path);
  }
});
