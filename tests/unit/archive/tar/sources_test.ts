import { assertEquals, assertRejects } from "@std/assert";
import { InvalidSourceError } from "../../../../src/archive/errors.ts";
import { planEntries } from "../../../../src/archive/tar/sources.ts";
import { streamOf, withTempDirectory } from "../_support.ts";

function stream(name: string) {
  return { name, content: streamOf(new Uint8Array(1)), size: 1 };
}

Deno.test("planEntries lists directories that a name implies, in the order of a walk", async () => {
  await withTempDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/store/inner`, { recursive: true });
    await Deno.writeTextFile(`${directory}/store/inner/file`, "x");
    const entries = await planEntries([
      stream("prefect.dump"),
      stream("database-old"),
      { name: "database/neo4j", path: `${directory}/store` },
    ]);
    assertEquals(entries.map(({ kind, name }) => `${kind} ${name}`), [
      "directory database",
      "directory database/neo4j",
      "directory database/neo4j/inner",
      "file database/neo4j/inner/file",
      "file database-old",
      "file prefect.dump",
    ]);
  });
});

Deno.test("planEntries refuses names that would stand for two things, or for the metadata", async () => {
  const cases = [
    [["a", "a"], "is given twice"],
    [["a", "a/b"], "is a file and a directory"],
    [["backup_information.json"], "is made by the archive itself"],
    [["a//b"], "cannot be a name"],
    [["../a"], "cannot be a name: attempts to escape"],
  ] as const;
  for (const [names, problem] of cases) {
    await assertRejects(() => planEntries(names.map(stream)), InvalidSourceError, problem);
  }
});

Deno.test("planEntries refuses a link inside of a directory", async () => {
  await withTempDirectory(async (directory) => {
    await Deno.symlink("/etc/hostname", `${directory}/link`);
    await assertRejects(
      () => planEntries([{ name: "database", path: directory }]),
      InvalidSourceError,
      "is a symbolic link",
    );
  });
});
