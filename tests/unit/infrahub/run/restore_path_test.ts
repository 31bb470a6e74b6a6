import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { DamagedSnapshotError } from "../../../../src/infrahub/errors.ts";
import { safeRelativePath } from "../../../../src/infrahub/run/restore_path.ts";

Deno.test("safeRelativePath drops the leading slash and keeps the rest", () => {
  assertEquals(safeRelativePath("/neo4j.dump"), "neo4j.dump");
  assertEquals(safeRelativePath("/a/b c/ü..x"), "a/b c/ü..x");
});

Deno.test("safeRelativePath refuses paths that lead elsewhere", async (t) => {
  for (
    const path of ["", "/", "//etc", "/..", "/../x", "/a/../../x", "/a//b", "/a/", "/./a", "/a\0b"]
  ) {
    await t.step(JSON.stringify(path), () => {
      assertThrows(() => safeRelativePath(path), DamagedSnapshotError, "unsafe path");
    });
  }
});

Deno.test("safeRelativePath never leaves the directory, whatever the parts", () => {
  const part = fc.constantFrom("a", "..", ".", "", "b", "...", " ");
  fc.assert(fc.property(fc.array(part, { minLength: 1 }), (parts) => {
    let safe: string;
    try {
      safe = safeRelativePath("/" + parts.join("/"));
    } catch (error) {
      assert(error instanceof DamagedSnapshotError);
      return;
    }
    assert(new URL(safe.replaceAll(" ", "_"), "file:///target/").pathname.startsWith("/target/"));
  }));
});
