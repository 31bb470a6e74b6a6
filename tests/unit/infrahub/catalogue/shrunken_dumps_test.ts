import { assertEquals } from "@std/assert";
import { findShrunkenDumps } from "../../../../src/infrahub/catalogue/shrunken_dumps.ts";
import { storeComponent, withRepository } from "../_repository.ts";
import { recordingReporter } from "../_support.ts";

const WANTED = ["neo4j", "postgres"] as const;

Deno.test("findShrunkenDumps() compares with the newest complete backup, dump by dump", async () => {
  await withRepository(async (repository) => {
    const store = async (backupId: string, component: "neo4j" | "postgres", bytes: number) => {
      const path = component === "neo4j" ? "/neo4j.dump" : "/prefect.dump";
      const files = { [path]: new Uint8Array(bytes) };
      await storeComponent(repository, { component, backupId, components: WANTED, files });
    };
    const find = (neo4j: number, postgres: number, percent = 50, edition = "community" as const) =>
      findShrunkenDumps({
        repository,
        backup: {
          backupId: "new",
          components: [
            { component: "neo4j", bytesRead: neo4j },
            { component: "postgres", bytesRead: postgres },
            { component: "metadata", bytesRead: 0 },
          ],
        },
        neo4jEdition: edition,
        percent,
        reporter: recordingReporter(),
      });
    assertEquals(await find(1, 1), []); // There is nothing to compare with.
    await store("old", "neo4j", 9_000);
    await store("old", "postgres", 9_000);
    await store("good", "neo4j", 1_000);
    await store("good", "postgres", 100);
    await store("half", "neo4j", 9_000);
    assertEquals(await find(499, 100), [
      { what: "neo4j", bytes: 499, earlierBytes: 1_000, earlierBackupId: "good" },
    ]);
    assertEquals(await find(500, 50), []);
    assertEquals((await find(1, 1)).map(({ what }) => what), ["neo4j", "postgres"]);
    assertEquals(await find(1, 1, 0), []);
  });
});

Deno.test("findShrunkenDumps() does not compare dumps of two editions", async () => {
  await withRepository(async (repository) => {
    await storeComponent(repository, {
      component: "neo4j",
      components: ["neo4j"],
      files: { "/neo4j-backup.tar": new Uint8Array(1_000) },
    });
    const backup = { backupId: "new", components: [{ component: "neo4j", bytesRead: 1 }] } as const;
    const question = { repository, backup, percent: 50, reporter: recordingReporter() };
    assertEquals(await findShrunkenDumps({ ...question, neo4jEdition: "community" }), []);
    assertEquals((await findShrunkenDumps({ ...question, neo4jEdition: "enterprise" })).length, 1);
  });
});
