/** What commands of the executable may do while they work, and what its threads may. */

import { assertEquals } from "@std/assert";
import { probe, PROBED } from "../cli/_probed.ts";
import { Folder, PROBE_EXECUTABLE, run } from "./executable.ts";

Deno.test("no command of the executable may do what it does not need", async (t) => {
  await using folder = await Folder.make();
  await Deno.writeTextFile(folder.at("dump"), "some bytes\n");
  const env = {
    PATH: "/usr/bin:/bin",
    INFRAHUB_REPO: folder.at("repository"),
    INFRAHUB_CACHE_DIR: folder.at("cache"),
    XDG_STATE_HOME: folder.at("state"),
  };
  const prober = {
    folder: folder.path,
    run: (args: readonly string[]) =>
      run(args, { cwd: folder.path, env, executable: PROBE_EXECUTABLE }),
  };
  for (const probed of PROBED) {
    await t.step(probed.args.join(" "), () => probe(prober, probed));
  }
});

Deno.test("the executable's threads need no rights, that of the passphrase included", async () => {
  await using folder = await Folder.make();
  await Deno.writeTextFile(folder.at("dump"), "some bytes\n");
  const env = {
    HOME: folder.path,
    INFRAHUB_REPO: folder.at("repository"),
    INFRAHUB_BACKEND: "plakar",
    INFRAHUB_BACKUP_PASSPHRASE: "twelve characters and more",
  };
  const dump = ["--format=raw", `--neo4j-path=${folder.at("dump")}`, "--neo4j-edition=community"];
  for (
    const args of [
      ["create", "from-files", "--encrypt", ...dump],
      ["snapshots", "check"],
      ["restore", `--to=${folder.at("restored")}`],
    ]
  ) {
    const { code, stderr } = await run(args, { cwd: folder.path, env });
    assertEquals(code, 0, stderr);
  }
  assertEquals(await Deno.readTextFile(folder.at("restored/neo4j.dump")), "some bytes\n");
});
