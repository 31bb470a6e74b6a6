import { assertEquals } from "@std/assert";
import {
  entryNameProblem,
  normalizeEntryName,
  parentsOf,
} from "../../../../src/archive/tar/entry_name.ts";

Deno.test("normalizeEntryName takes dots and needless slashes away", () => {
  assertEquals(normalizeEntryName("./backup//database/./a/"), "backup/database/a");
  assertEquals(normalizeEntryName("./"), "");
});

Deno.test("entryNameProblem names what no backup has", () => {
  const cases: [string, string | undefined][] = [
    ["backup/database/neo4j.dump", undefined],
    ["backup/..a/b..", undefined],
    ["/etc/passwd", "it is absolute"],
    ["backup/../../etc", "attempts to escape destination directory"],
    ["a\\b", "it has characters that are not allowed"],
    ["a\nb", "it has characters that are not allowed"],
    ["a\ufffd", "it has characters that are not allowed"],
    ["é".repeat(127), undefined],
    ["é".repeat(128), "it is too long"],
    ["a/".repeat(2047) + "a", undefined],
    ["a/".repeat(2048), "it is too long"],
  ];
  for (const [name, problem] of cases) assertEquals(entryNameProblem(name), problem, name);
});

Deno.test("parentsOf lists the directories of a path from the outside", () => {
  assertEquals(parentsOf("a/b/c"), ["a", "a/b"]);
  assertEquals(parentsOf("a"), []);
});
