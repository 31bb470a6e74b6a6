import { assertEquals, assertRejects } from "@std/assert";
import { copyFile, describeSnapshot } from "../../../../src/infrahub/catalogue/describe.ts";
import { InvalidInputError } from "../../../../src/infrahub/errors.ts";
import type { Repository } from "../../../../src/kloset/mod.ts";
import { storeComponent, withRepository } from "../_repository.ts";

async function copy(repository: Repository, id: string, path?: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const bytes = await copyFile(repository, id, path, (view) => {
    text += decoder.decode(view, { stream: true });
    return Promise.resolve();
  }, new AbortController().signal);
  assertEquals(bytes, text.length);
  return text;
}

Deno.test("describeSnapshot() tells all that a snapshot says of itself", async () => {
  await withRepository(async (repository) => {
    const id = await storeComponent(repository, { component: "neo4j" });
    const { header, entries, errors } = await describeSnapshot(repository, id.slice(0, 8));
    assertEquals([header.identifier, header.name], [id, "20260101_000000_neo4j"]);
    assertEquals(
      entries.map(({ path, type, size }) => [path, type, size]),
      [["/", "directory", entries[0]?.size], ["/neo4j.dump", "file", 5]],
    );
    assertEquals(errors, []);
  });
});

Deno.test("copyFile() copies the only file, or the one that is named", async () => {
  await withRepository(async (repository) => {
    const one = await storeComponent(repository, { component: "neo4j" });
    assertEquals(await copy(repository, one), "neo4j");
    const files = { "/d/a": "first", "/d/b": "second" };
    const two = await storeComponent(repository, { component: "neo4j", files });
    assertEquals(await copy(repository, two, "/d/b"), "second");
    assertEquals(await copy(repository, two, "d/a"), "first");
    const rows: [string, string | undefined, string][] = [
      [two, undefined, "contains several files; name one of them"],
      [two, "/d/c", `no such file in snapshot ${two.slice(0, 16)}: /d/c`],
      [two, "/d", `not a regular file in snapshot ${two.slice(0, 16)}: /d (directory)`],
    ];
    for (const [id, path, message] of rows) {
      await assertRejects(() => copy(repository, id, path), InvalidInputError, message);
    }
  });
});
