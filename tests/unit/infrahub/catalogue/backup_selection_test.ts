import { assertEquals, assertRejects } from "@std/assert";
import {
  type BackupChoice,
  selectBackup,
} from "../../../../src/infrahub/catalogue/backup_selection.ts";
import { BackupGroupError, InvalidInputError } from "../../../../src/infrahub/errors.ts";
import type { Repository } from "../../../../src/kloset/mod.ts";
import { storeComponent, withRepository } from "../_repository.ts";
import { recordingReporter } from "../_support.ts";

const COMPONENTS = ["neo4j", "metadata"] as const;

async function storeBackup(repository: Repository, backupId: string): Promise<string[]> {
  const ids: string[] = [];
  for (const component of COMPONENTS) {
    ids.push(await storeComponent(repository, { component, backupId, components: COMPONENTS }));
  }
  return ids;
}

function select(repository: Repository, choice: Partial<BackupChoice> = {}) {
  return selectBackup({ repository, force: false, reporter: recordingReporter(), ...choice });
}

Deno.test("selectBackup() takes the newest complete backup, or the one that is named", async () => {
  await withRepository(async (repository) => {
    const older = await storeBackup(repository, "A");
    const newer = await storeBackup(repository, "B");
    await storeComponent(repository, { component: "neo4j", backupId: "C", components: COMPONENTS });
    assertEquals(await select(repository), { backupId: "B", ids: newer, isWhole: true });
    assertEquals(
      await select(repository, { backupId: "A" }),
      { backupId: "A", ids: older, isWhole: true },
    );
  });
});

Deno.test("selectBackup() takes an incomplete backup only when forced, and warns", async () => {
  await withRepository(async (repository) => {
    const stored = { component: "neo4j", backupId: "C", components: COMPONENTS } as const;
    const id = await storeComponent(repository, stored);
    await assertRejects(
      () => select(repository),
      BackupGroupError,
      "backup group C is incomplete (missing: metadata); use --force",
    );
    const reporter = recordingReporter();
    const selected = await select(repository, { force: true, reporter });
    assertEquals(selected.ids, [id]);
    assertEquals(reporter.lines.at(-1), "warn Backup group C is incomplete (missing: metadata)");
  });
});

Deno.test("selectBackup() takes the newest of a component that was stored twice, and warns", async () => {
  await withRepository(async (repository) => {
    const [first = "", metadata = ""] = await storeBackup(repository, "A");
    const again = { component: "neo4j", backupId: "A", components: COMPONENTS } as const;
    const second = await storeComponent(repository, again);
    const reporter = recordingReporter();
    assertEquals((await select(repository, { reporter })).ids, [second, metadata]);
    assertEquals(
      reporter.lines[0],
      `warn Backup group A has several neo4j snapshots: ${second.slice(0, 16)} is used, ` +
        `${first.slice(0, 16)} is not`,
    );
  });
});

Deno.test("selectBackup() of one snapshot is not the whole backup", async () => {
  await withRepository(async (repository) => {
    const [id = ""] = await storeBackup(repository, "A");
    const choice = { snapshot: id.slice(0, 20) };
    assertEquals(
      await select(repository, choice),
      { backupId: "A", ids: [id], isWhole: false },
    );
    await assertRejects(
      () => select(repository, { ...choice, backupId: "A" }),
      InvalidInputError,
      "--snapshot and --backup-id cannot be used together",
    );
    const foreign = await storeComponent(repository, {
      component: "neo4j",
      tags: ["infrahub.component=queue"],
    });
    await assertRejects(
      () => select(repository, { snapshot: foreign }),
      InvalidInputError,
      "unknown component type in snapshot: queue",
    );
  });
});
