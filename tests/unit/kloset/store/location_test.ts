import { assertEquals, assertThrows } from "@std/assert";
import { openStore, UnsupportedLocationError } from "../../../../src/kloset/mod.ts";

Deno.test("openStore() takes paths with and without the scheme", () => {
  for (const location of ["/var/b r", "fs:/var/b r", "fs:///var/b r", "/var/x/../b r/"]) {
    assertEquals(openStore(location).location, "fs:///var/b r", location);
  }
  for (const location of ["repository", "./repository", "fs:repository", "fs://repository"]) {
    assertEquals(openStore(location).location, `fs://${Deno.cwd()}/repository`, location);
  }
});

Deno.test("openStore() refuses what it cannot open", () => {
  for (
    const location of ["", "fs:", "fs://", "sftp://host/x", "/tmp/x.ptar"]
  ) {
    assertThrows(() => openStore(location), UnsupportedLocationError, undefined, location);
  }
});
