import { assertRejects } from "@std/assert";
import { syncDirectory } from "../../../src/files/mod.ts";
import { withDirectory } from "./_support.ts";

Deno.test("syncDirectory syncs a directory, and says when there is none", async () => {
  await withDirectory(async (root) => {
    await syncDirectory(root);
    await assertRejects(() => syncDirectory(`${root}/none`), Deno.errors.NotFound);
  });
});
