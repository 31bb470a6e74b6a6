import { assertEquals, assertRejects } from "@std/assert";
import { recordPath } from "../../../../src/infrahub/component.ts";
import {
  BackupGroupError,
  DamagedSnapshotError,
  InfrahubBackupError,
  InvalidInputError,
} from "../../../../src/infrahub/errors.ts";
import {
  restoreToDirectory,
  type RestoreToDirectoryOptions,
} from "../../../../src/infrahub/run/restore_to_directory.ts";
import type { Repository } from "../../../../src/kloset/mod.ts";
import { neo4jDump, postgresDump } from "../../../fixtures/small_dumps.ts";
import { storeComponent, wholeRecord, withRepository } from "../_repository.ts";
import { recordingReporter } from "../_support.ts";

const COMPONENTS = ["neo4j", "postgres"] as const;

async function storeWholeDumps(repository: Repository): Promise<void> {
  for (const component of COMPONENTS) {
    const path = recordPath(component, "community");
    const files = { [path]: wholeRecord(component, "community") };
    await storeComponent(repository, { component, components: COMPONENTS, files });
  }
}

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
    await storeWholeDumps(repository);
    const { backupId, files } = await restore(repository, `${root}/out`);
    assertEquals(backupId, "20260101_000000");
    assertEquals(files.map(({ component, path, bytes }) => [component, path, bytes]), [
      ["neo4j", `${root}/out/neo4j.dump`, neo4jDump("neo4j").length],
      ["postgres", `${root}/out/prefect.dump`, postgresDump("postgres").length],
    ]);
    assertEquals(await Deno.readFile(`${root}/out/prefect.dump`), postgresDump("postgres"));
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
    await storeWholeDumps(repository);
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

Deno.test("restoreToDirectory() copies a dump that is not whole by force, and says so", async () => {
  await withRepository(async (repository, root) => {
    const half = postgresDump("tasks").slice(0, -1);
    const files = { "/prefect.dump": half };
    await storeComponent(repository, { component: "postgres", components: ["postgres"], files });
    await assertRejects(
      () => restore(repository, `${root}/out`),
      InfrahubBackupError,
      "the PostgreSQL dump is cut off",
    );
    assertEquals(await namesIn(`${root}/out`), undefined);
    const forced = await restore(repository, `${root}/out`, { force: true });
    assertEquals(forced.files.map(({ isWhole }) => isWhole), [false]);
    assertEquals(await Deno.readFile(`${root}/out/prefect.dump`), half);
  });
});
