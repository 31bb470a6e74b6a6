import { assertEquals } from "@std/assert";
import { array, assert as property, constantFrom, property as forAll } from "fast-check";
import {
  baseName,
  cleanPath,
  compareBytes,
  comparePaths,
  parentPath,
} from "../../../../src/kloset/format/mod.ts";
import { toHex } from "./_vectors.ts";

Deno.test("cleanPath makes absolute clean paths", () => {
  const cases: [path: string, clean: string][] = [
    ["", "/"],
    ["/", "/"],
    ["//", "/"],
    ["///prefect.dump", "/prefect.dump"],
    ["/a/./b//c/", "/a/b/c"],
    ["/a/../b", "/b"],
    ["/../../etc/passwd", "/etc/passwd"],
    ["a", "/a"],
  ];
  for (const [path, clean] of cases) assertEquals(cleanPath(path), clean);
});

Deno.test("parentPath and baseName take a clean path apart", () => {
  assertEquals([parentPath("/"), baseName("/")], ["/", "/"]);
  assertEquals([parentPath("/a"), baseName("/a")], ["/", "a"]);
  assertEquals([parentPath("/a/b/c"), baseName("/a/b/c")], ["/a/b", "c"]);
});

Deno.test("compareBytes orders as the UTF-8 bytes do", () => {
  const unit = constantFrom(
    "a",
    "b",
    "/",
    "\u007f",
    "é",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\u{1f600}",
  );
  const text = array(unit, { maxLength: 4 }).map((units) => units.join(""));
  // Hexadecimal text of equal width per byte sorts as the bytes.
  const bytes = (value: string) => toHex(new TextEncoder().encode(value));
  property(forAll(text, text, (a, b) => {
    const [x, y] = [bytes(a), bytes(b)];
    assertEquals(Math.sign(compareBytes(a, b)), x < y ? -1 : x > y ? 1 : 0);
  }));
});

Deno.test("comparePaths puts fewer slashes first, then bytes", () => {
  const sorted = ["/", "/a", "/b", "/b.c", "/\ue000", "/\u{1f600}", "/a/b", "/b/a", "/a/a/a"];
  assertEquals(sorted.toReversed().sort(comparePaths), sorted);
});
