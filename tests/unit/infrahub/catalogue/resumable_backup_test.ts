import { assertEquals, assertRejects } from "@std/assert";
import { findResumable } from "../../../../src/infrahub/catalogue/resumable_backup.ts";
import { BackupGroupError } from "../../../../src/infrahub/errors.ts";
import { storeComponent, withRepository } from "../_repository.ts";
import { recordingReporter } from "../_support.ts";

Deno.test("findResumable() finds a backup that lacks something, and no other", async () => {
  await withRepository(async (repository) => {
    const find = (id: string) => findResumable(repository, id, recordingReporter());
    await storeComponent(repository, { component: "neo4j", backupId: "half" });
    await storeComponent(repository, {
      component: "neo4j",
      backupId: "whole",
      components: ["neo4j"],
    });
    const tags = ["infrahub.backup-id=mute", "infrahub.component=neo4j"];
    await storeComponent(repository, { component: "neo4j", tags });
    const foreign = ["infrahub.backup-id=foreign", "infrahub.components=neo4j,queue"];
    await storeComponent(repository, { component: "neo4j", tags: foreign });
    assertEquals((await find("half")).missing, ["postgres", "metadata"]);
    const rows = [
      ["whole", "backup group whole is complete: there is nothing to resume"],
      ["mute", "its snapshots do not say which components it should have"],
      ["foreign", "its snapshots do not say which components it should have"],
      ["none", "backup group not found: none"],
    ] as const;
    for (const [id, message] of rows) {
      await assertRejects(() => find(id), BackupGroupError, message);
    }
  });
});
