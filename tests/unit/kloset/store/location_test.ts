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

Deno.test("openStore() refuses what nobody means", async (t) => {
  for (
    const [location, reason] of [
      ["~/backups", "the ~ was not expanded"],
      ["~backup/x", "the ~ was not expanded"],
      ["fs://~/backups", "the ~ was not expanded"],
      ['"/var/backups"', "quotes around it"],
      ["'/var/backups", "quotes around it"],
      ["/var/backups\n", "control character"],
      ["/var/\u001b[0m", "control character"],
      [" /var/backups", "begins or ends with a space"],
      ["--force", "looks like a flag"],
      ["$HOME/backups", "a variable in it was not expanded"],
      ["/srv/${NAME}/x", "a variable in it was not expanded"],
      ["me@nas:/backups", "another host"],
      ["me@nas:backups", "another host"],
      ["big_nas:/backups", "another host"],
      ["nas:/backups", "does not exist"],
      ["sftp://nas/backups", "does not exist"],
    ] as const
  ) {
    await t.step(location, () => {
      assertThrows(() => openStore(location), UnsupportedLocationError, reason);
    });
  }
  for (const location of ["/var/~/b", "./~/b", "./a:b", "/a@b:c", "/it's", "a$"]) {
    openStore(location);
  }
});
