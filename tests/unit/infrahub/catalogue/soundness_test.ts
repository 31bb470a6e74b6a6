import { assertEquals, assertStringIncludes } from "@std/assert";
import { findMissingContent } from "../../../../src/infrahub/catalogue/soundness.ts";
import { openRepository, openStore } from "../../../../src/kloset/mod.ts";
import { GoldenRepository } from "../../../fixtures/golden.ts";
import { storeComponent, type StoredComponent, withRepository } from "../_repository.ts";

Deno.test("findMissingContent() finds a snapshot without the record of its component", async () => {
  await withRepository(async (repository) => {
    const find = async (stored: StoredComponent) => {
      const id = await storeComponent(repository, stored);
      const damage = await findMissingContent(await repository.openSnapshot(id));
      return damage.map(({ snapshot, path, message }) => {
        assertEquals(snapshot, id);
        return [path, message];
      });
    };
    assertEquals(await find({ component: "postgres" }), []);
    // Either edition's record will do: the tag with the edition may be missing.
    assertEquals(await find({ component: "neo4j", edition: "enterprise" }), []);
    assertEquals(await find({ component: "neo4j", edition: "community" }), []);
    assertEquals(await find({ component: "neo4j", files: { "/prefect.dump": "x" } }), [[
      "/neo4j-backup.tar",
      "the neo4j snapshot does not contain /neo4j-backup.tar or /neo4j.dump",
    ]]);
    // A directory is no dump, whatever it is called.
    assertEquals(
      (await find({ component: "postgres", files: { "/prefect.dump/x": "x" } })).length,
      1,
    );
    // Of a component that is not known here, nobody can say what it should have.
    assertEquals(await find({ component: "neo4j", tags: ["infrahub.component=queue"] }), []);
  });
});

Deno.test("findMissingContent() finds the dump that failed half-way in a backup of the Go tool", async () => {
  await using golden = await GoldenRepository.unpack("infrahub_go");
  await using repository = await openRepository(openStore(golden.path), { jobs: 1 });
  const { headers } = await repository.snapshots();
  const found = new Map<string, string[]>();
  for (const { identifier, name } of headers) {
    const damage = await findMissingContent(await repository.openSnapshot(identifier));
    if (damage.length > 0) found.set(name, damage.map(({ message }) => message));
  }
  assertEquals([...found.keys()], ["prefect.dump"]);
  assertStringIncludes(
    found.get("prefect.dump")?.[0] ?? "",
    "stored incompletely when the backup was made: ",
  );
});
