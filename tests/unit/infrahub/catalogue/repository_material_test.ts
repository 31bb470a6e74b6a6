import { assertEquals, assertRejects } from "@std/assert";
import { repositoryMaterial } from "../../../../src/infrahub/catalogue/repository_material.ts";
import type { RestorableDump } from "../../../../src/infrahub/dump/restorable_dump.ts";
import { DamagedSnapshotError } from "../../../../src/infrahub/errors.ts";
import type { Repository } from "../../../../src/kloset/mod.ts";
import { storeComponent, type StoredComponent, withRepository } from "../_repository.ts";

async function material(
  repository: Repository,
  stored: readonly StoredComponent[],
  excludeTaskManager = false,
) {
  const ids: string[] = [];
  for (const one of stored) ids.push(await storeComponent(repository, one));
  const selected = { backupId: "20260101_000000", ids, isWhole: true };
  return await repositoryMaterial(repository, selected, excludeTaskManager);
}

async function read(dump: RestorableDump | undefined): Promise<string> {
  let text = "";
  await dump?.copy((bytes) => {
    text += new TextDecoder().decode(bytes);
    return Promise.resolve();
  }, new AbortController().signal);
  return text;
}

Deno.test("repositoryMaterial() has the dumps of a backup, and what its tags say", async () => {
  await withRepository(async (repository) => {
    const { neo4j, postgres, ...facts } = await material(repository, [
      { component: "neo4j" },
      { component: "postgres" },
      { component: "metadata" },
    ]);
    assertEquals(facts, {
      backupId: "20260101_000000",
      infrahubVersion: "1.2.0",
      neo4jEdition: "community",
      data: {},
      storage: undefined,
      isWhole: true,
    });
    assertEquals([neo4j?.name, neo4j?.bytes, await read(neo4j)], ["neo4j.dump", 5, "neo4j"]);
    assertEquals([postgres?.name, postgres?.bytes], ["prefect.dump", 8]);
  });
});

Deno.test("repositoryMaterial() refuses a snapshot that lacks its content", async () => {
  await withRepository(async (repository) => {
    const broken = { component: "postgres", files: { "/readme": "x" } } as const;
    await assertRejects(
      () => material(repository, [{ component: "neo4j" }, broken]),
      DamagedSnapshotError,
      "(postgres) is damaged: /prefect.dump: the postgres snapshot does not contain /prefect.dump",
    );
    // What is left aside need not be sound.
    const { neo4j, postgres } = await material(repository, [{ component: "neo4j" }, broken], true);
    assertEquals([await read(neo4j), postgres], ["neo4j", undefined]);
  });
});
