import { assertEquals, assertRejects } from "@std/assert";
import { UnsupportedVersionError } from "../../../../src/kloset/mod.ts";
import { createWith, openSmall, smallConfiguration, SNAPSHOT } from "../../../faults/backups.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";

Deno.test("Repository.createSnapshot() refuses chunking that it cannot do", async (t) => {
  const small = smallConfiguration().chunking;
  const cases = [
    { ...small, algorithm: "rabin" },
    { ...small, maxSize: 65 * 1024 * 1024 },
    { ...small, minSize: 10 },
    { ...small, normalSize: 300 },
    { ...small, maxSize: 100 },
  ];
  for (const chunking of cases) {
    await t.step(`${chunking.algorithm} ${chunking.minSize}/${chunking.normalSize}`, async () => {
      const store = new MemoryStore();
      await createWith(store, smallConfiguration({ chunking }));
      await using repository = await openSmall(store);
      const before = store.names();
      await assertRejects(() => repository.createSnapshot(SNAPSHOT), UnsupportedVersionError);
      assertEquals(store.names(), before);
    });
  }
});
