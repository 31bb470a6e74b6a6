import { assertEquals, assertRejects } from "@std/assert";
import {
  BackupGroupError,
  DamagedSnapshotError,
  InvalidInputError,
} from "../../../../src/infrahub/errors.ts";
import {
  restoreToDirectory,
  type RestoreToDirectoryOptions,
} from "../../../../src/infrahub/run/restore_to_directory.ts";
import type { Repository } from "../../../../src/kloset/mod.ts";
import { storeComponent, withRepository } from "../_repository.ts";
import { recordingReporter } from "../_support.ts";

const COMPONENTS = ["neo4j", "postgres"] as const;

function restore(
  repository: Repository,
  directory: string,
  more: Partial<RestoreToDirectoryOptions> = {},
) {
  const { signal } = new AbortController();
  const reporter = recordingReporter();
  return restoreToDirectory({ repository, directory, force: false, reporter, signal, ...more });
}

async function namesIn(directory: string): Promise<string[] | undefined> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

Deno.test("restoreToDirectory() puts the files of all components side by side", async () => {
  await withRepository(async (repository, root) => {
    for (const component of COMPONENTS) {
      await storeComponent(repository, { component, components: COMPONENTS });
    }
    const { backupId, files } = await restore(repository, `${root}/out`);
    assertEquals(backupId, "20260101_000000");
    assertEquals(files.map(({ component, path, bytes }) => [component, path, bytes]), [
      ["neo4j", `${root}/out/neo4j.dump`, 5],
      ["postgres", `${root}/out/prefect.dump`, 8],
    ]);
    assertEquals(await Deno.readTextFile(`${root}/out/prefect.dump`), "postgres");
  });
});

Deno.test("restoreToDirectory() restores nothing of a backup of which a part is not sound", async () => {
  await withRepository(async (repository, root) => {
    await storeComponent(repository, { component: "neo4j", components: COMPONENTS });
    await assertRejects(() => restore(repository, `${root}/out`), BackupGroupError, "incomplete");
    const files = { "/readme": "x" };
    await storeComponent(repository, { component: "postgres", components: COMPONENTS, files });
    await assertRejects(
      () => restore(repository, `${root}/out`),
      DamagedSnapshotError,
      "(postgres) is damaged: /prefect.dump: ",
    );
    assertEquals(await namesIn(`${root}/out`), undefined);
  });
});

Deno.test("restoreToDirectory() leaves nothing when it is ended half-way", async () => {
  await withRepository(async (repository, root) => {
    for (const component of COMPONENTS) {
      await storeComponent(repository, { component, components: COMPONENTS });
    }
    const controller = new AbortController();
    const reporter = {
      ...recordingReporter(),
      debug: () => controller.abort(new Error("SIGTERM")), // once a file has been verified
    };
    const more = { reporter, signal: controller.signal };
    await assertRejects(() => restore(repository, `${root}/out`, more), Error, "SIGTERM");
    assertEquals(await namesIn(`${root}/out`), undefined);
  });
});

Deno.test("restoreToDirectory() writes to no directory that has content", async () => {
  await withRepository(async (repository, root) => {
    await Deno.mkdir(`${root}/out`);
    await Deno.writeTextFile(`${root}/out/mine`, "mine");
    await assertRejects(() => restore(repository, `${root}/out`), InvalidInputError, "not empty");
    assertEquals(await namesIn(`${root}/out`), ["mine"]);
  });
});
