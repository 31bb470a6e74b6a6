import { assertEquals, assertThrows } from "@std/assert";
import { fileMode, type FileType, newFileInfo } from "../../../../src/kloset/format/mod.ts";
import { EntrySet } from "../../../../src/kloset/snapshot/entry_set.ts";

function entry(path: string, type: Exclude<FileType, "other">) {
  return { path, info: newFileInfo({ name: path, mode: fileMode(type, 0o600) }) };
}

function setOf(...paths: [string, Exclude<FileType, "other">][]): EntrySet {
  const entries = new EntrySet();
  for (const [path, type] of paths) entries.add(entry(path, type));
  return entries;
}

Deno.test("EntrySet keeps entries in the order in which they were added, once for each path", () => {
  const entries = setOf(["/b/c", "file"], ["/a", "file"], ["/", "directory"]);
  assertEquals([...entries.byPath.keys()], ["/b/c", "/a", "/"]);
  entries.add(entry("/a", "symlink"));
  assertEquals(entries.byPath.size, 3);
  assertEquals(entries.byPath.get("/a"), entry("/a", "symlink"));
});

Deno.test("EntrySet refuses paths that no file system could have", () => {
  const entries = setOf(["/d", "directory"], ["/f", "file"], ["/l", "symlink"], ["/x/y/z", "file"]);
  const refused: [path: string, type: FileType, problem: string][] = [
    ["", "file", "clean"],
    ["/", "directory", "clean"],
    ["a", "file", "clean"],
    ["/a/", "file", "clean"],
    ["/a/../b", "file", "clean"],
    ["/\ud800", "file", "clean"],
    ["/f", "file", "already"],
    ["/d", "directory", "already"],
    ["/x", "file", "lie in it"],
    ["/x/y", "symlink", "lie in it"],
    ["/f/a", "file", '"/f" is not a directory'],
    ["/l/a/b", "directory", '"/l" is not a directory'],
  ];
  for (const [path, type, problem] of refused) {
    assertThrows(() => entries.assertFree(path, type), TypeError, problem, path);
  }
  for (const [path, type] of [["/x", "directory"], ["/d/a", "file"], ["/n/e/w", "file"]] as const) {
    entries.assertFree(path, type);
  }
});
