import { assertEquals, assertRejects } from "@std/assert";
import { createRepository, openStore, type Repository } from "../../../../src/kloset/mod.ts";
import {
  assertSnapshot,
  backUp,
  createWith,
  noise,
  openSmall,
  smallConfiguration,
  SNAPSHOT,
} from "../../../faults/backups.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";
import { TemporaryDirectory } from "../../../faults/temporary_directory.ts";

const MIB = 1024 * 1024;

async function memoryRepository(
  configuration = smallConfiguration(),
): Promise<{ store: MemoryStore; repository: Repository }> {
  const store = new MemoryStore();
  await createWith(store, configuration);
  return { store, repository: await openSmall(store) };
}

/** A content of some length is read in many pieces: each comes from one packfile. */
const MANY_PACKFILES = smallConfiguration({
  packfile: { minSize: 0n, averageSize: 0n, maxSize: 2000n },
});

Deno.test("SnapshotReader refuses to read what is no file", async () => {
  const { repository } = await memoryRepository();
  await using _ = repository;
  const writer = await repository.createSnapshot(SNAPSHOT);
  writer.addDirectory("/dir");
  writer.addSymlink("/link", "dir");
  await writer.commit();
  const reader = await repository.openSnapshot(writer.id);
  for (const path of ["/", "/dir", "/link", "/nothing"]) {
    await assertRejects(() => reader.copy(path, () => Promise.resolve()), TypeError, path);
    await assertRejects(() => new Response(reader.read(path)).bytes(), TypeError, path);
  }
});

Deno.test("SnapshotReader.read() ends when its consumer cancels, and when it is aborted", async () => {
  const { repository } = await memoryRepository(MANY_PACKFILES);
  await using _ = repository;
  const files = { "/a": noise(200_000, 1) };
  const id = await backUp(repository, files);
  const reader = await repository.openSnapshot(id);

  const stream = reader.read("/a").getReader();
  assertEquals((await stream.read()).done, false);
  await stream.cancel();

  const abort = new AbortController();
  const aborted = reader.read("/a", { signal: abort.signal }).getReader();
  await aborted.read();
  const reason = new Error("enough");
  abort.abort(reason);
  const readToEnd = async () => {
    while (!(await aborted.read()).done);
  };
  assertEquals(await assertRejects(readToEnd), reason);

  await assertRejects(() => reader.check({ signal: abort.signal }), Error, "enough");
  await assertSnapshot(repository, id, files);
});

Deno.test("SnapshotReader.copy() throws what its consumer fails with", async () => {
  const { repository } = await memoryRepository(MANY_PACKFILES);
  await using _ = repository;
  const files = { "/a": noise(200_000, 1) };
  const id = await backUp(repository, files);
  const reader = await repository.openSnapshot(id);
  const failure = new Error("disk full");
  for (const after of [1, 50]) {
    let pieces = 0;
    const copy = () =>
      reader.copy("/a", () => ++pieces === after ? Promise.reject(failure) : Promise.resolve());
    assertEquals(await assertRejects(copy), failure);
    assertEquals(pieces, after);
  }
  await assertSnapshot(repository, id, files);
});

Deno.test("SnapshotReader lets consumers take turns with streams that exceed the memory", async () => {
  await using directory = await TemporaryDirectory.make();
  const store = openStore(directory.at("repository"));
  await using repository = await createRepository(store, { jobs: 1 });
  // Zeros: cut at the maximum, 2 MiB; each stream is more than what is read ahead.
  const bytes = new Uint8Array(48 * MIB);
  const id = await backUp(repository, { "/a": bytes });
  const reader = await repository.openSnapshot(id);
  const stalled = reader.read("/a").getReader();
  await stalled.read();
  // While one stream waits for its consumer, everything else goes on.
  const other = reader.read("/a").getReader();
  let length = 0;
  for (let next = await other.read(); !next.done; next = await other.read()) {
    length += next.value.length;
  }
  assertEquals(length, bytes.length);
  assertEquals(await (await repository.openSnapshot(id)).check(), []);
  await stalled.cancel();
});
