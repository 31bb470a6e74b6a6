import { assertEquals, assertMatch } from "@std/assert";
import { baseNameOf, directoryOf, randomName } from "../../../src/files/mod.ts";

Deno.test("directoryOf and baseNameOf take a path apart", () => {
  const rows: [string, string, string][] = [
    ["/a/b", "/a", "b"],
    ["a/b.txt", "a", "b.txt"],
    ["/a", "/", "a"],
    ["a", ".", "a"],
    ["./a", ".", "a"],
  ];
  for (const [path, directory, name] of rows) {
    assertEquals([directoryOf(path), baseNameOf(path)], [directory, name], path);
  }
});

Deno.test("randomName is another one each time", () => {
  const names = Array.from({ length: 100 }, randomName);
  for (const name of names) assertMatch(name, /^[0-9a-f]{32}$/);
  assertEquals(new Set(names).size, names.length);
});
