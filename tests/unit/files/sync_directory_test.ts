import { assertEquals, assertRejects } from "@std/assert";
import { onUnsyncableDirectory, syncDirectory } from "../../../src/files/mod.ts";
import { withDirectory } from "./_support.ts";

Deno.test("syncDirectory syncs a directory, and says when there is none", async () => {
  await withDirectory(async (root) => {
    assertEquals(await syncDirectory(root), true);
    await assertRejects(() => syncDirectory(`${root}/none`), Deno.errors.NotFound);
  });
});

Deno.test("syncDirectory goes on where directories cannot be synced, and tells of it", async () => {
  const told: string[] = [];
  onUnsyncableDirectory((path) => void told.push(path));
  try {
    assertEquals(await syncDirectory("/proc"), false); // the kernel answers EINVAL there
  } finally {
    onUnsyncableDirectory(undefined);
  }
  assertEquals(told, ["/proc"]);
});
