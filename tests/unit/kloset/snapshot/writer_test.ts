import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openStore, type Repository, type SnapshotWriter } from "../../../../src/kloset/mod.ts";
import {
  assertSnapshot,
  backUp,
  createWith,
  noise,
  openSmall,
  smallConfiguration,
  SNAPSHOT,
  snapshotIds,
  streamOf,
} from "../../../faults/backups.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";
import { TemporaryDirectory } from "../../../faults/temporary_directory.ts";

const FILES = { "/a": noise(5000, 1), "/b": noise(3000, 2) };

interface Subject {
  readonly store: MemoryStore;
  readonly repository: Repository;
  readonly writer: SnapshotWriter;
}

/** A writer in a repository with one snapshot; at the end that one must be all there is. */
function testUncommitted(name: string, run: (subject: Subject) => Promise<void>): void {
  Deno.test(name, async () => {
    const store = new MemoryStore();
    await createWith(store, smallConfiguration());
    await using repository = await openSmall(store);
    const earlier = await backUp(repository, FILES);
    const writer = await repository.createSnapshot(SNAPSHOT);
    assert(store.objects.lock.has(writer.id));
    await run({ store, repository, writer });
    await writer.abort();
    assertEquals([store.objects.lock.size, store.openWriters], [0, 0]);
    assertEquals(await snapshotIds(repository), [earlier]);
    // The repository goes on.
    const later = await backUp(repository, { "/c": noise(4000, 3) });
    await using reopened = await openSmall(store);
    assertEquals(await snapshotIds(reopened), [earlier, later].toSorted());
    await assertSnapshot(reopened, earlier, FILES);
    await assertSnapshot(reopened, later, { "/c": noise(4000, 3) });
  });
}

testUncommitted("SnapshotWriter.abort() at once leaves nothing", async ({ writer }) => {
  await writer.abort();
});

testUncommitted("SnapshotWriter.abort() after a file leaves nothing", async ({ writer }) => {
  writer.addDirectory("/d");
  await writer.addFile("/c", streamOf(noise(20_000, 9)));
  await writer.abort();
  await writer.abort();
});

testUncommitted("SnapshotWriter.abort() ends a file that is being read", async ({ writer }) => {
  let cancelled: unknown;
  const adding = writer.addFile(
    "/c",
    new ReadableStream({
      pull: (controller) => controller.enqueue(noise(700, 1)),
      cancel: (reason) => {
        cancelled = reason;
      },
    }),
  );
  const [failure] = await Promise.all([assertRejects(() => adding), writer.abort()]);
  assert(failure instanceof DOMException && failure.name === "AbortError");
  assertEquals(cancelled, failure);
});

testUncommitted("SnapshotWriter.abort() ends a stream that gives nothing", async ({ writer }) => {
  const adding = writer.addFile("/c", new ReadableStream({ pull: () => new Promise(() => {}) }));
  await Promise.all([assertRejects(() => adding, DOMException), writer.abort()]);
});

testUncommitted("SnapshotWriter.abort() ends a commit", async ({ writer }) => {
  await writer.addFile("/c", streamOf(noise(20_000, 9)));
  const committing = writer.commit();
  await Promise.all([assertRejects(() => committing, DOMException), writer.abort()]);
});

testUncommitted("SnapshotWriter goes with its signal", async ({ repository }) => {
  for (const stage of ["start", "addFile", "commit"]) {
    const abort = new AbortController();
    const reason = new Error(`stop at ${stage}`);
    if (stage === "start") abort.abort(reason);
    const run = () => {
      const files = { "/x": noise(5000, 4) };
      const signal = abort.signal;
      return backUp(repository, stage === "commit" ? {} : files, {
        signal,
        onProgress: () => abort.abort(reason),
      });
    };
    if (stage === "commit") {
      const writer = await repository.createSnapshot({ ...SNAPSHOT, signal: abort.signal });
      await writer.addFile("/x", streamOf(noise(5000, 4)));
      abort.abort(reason);
      assertEquals(await assertRejects(() => writer.commit()), reason);
      await writer.abort();
    } else {
      assertEquals(await assertRejects(run), reason);
    }
  }
});

Deno.test("SnapshotWriter.abort() after a commit changes nothing", async () => {
  await using directory = await TemporaryDirectory.make();
  const store = openStore(directory.at("repository"));
  await createWith(store, smallConfiguration());
  await using repository = await openSmall(store);
  const writer = await repository.createSnapshot(SNAPSHOT);
  for (const [path, bytes] of Object.entries(FILES)) await writer.addFile(path, streamOf(bytes));
  const header = await writer.commit();
  const before = await directory.listing();
  await writer.abort();
  assertEquals(await directory.listing(), before);
  assertEquals(header.identifier, writer.id);
  assertEquals(await snapshotIds(repository), [writer.id]);
  await assertSnapshot(repository, writer.id, FILES);
});

testUncommitted("SnapshotWriter refuses a second call while one runs", async ({ writer }) => {
  let release = () => {};
  const adding = writer.addFile(
    "/c",
    new ReadableStream({
      pull: (controller) =>
        new Promise<void>((resolve) => {
          release = () => {
            controller.close();
            resolve();
          };
        }),
    }),
  );
  await assertRejects(() => writer.addFile("/d", streamOf(FILES["/a"])), TypeError, "under way");
  await assertRejects(() => writer.commit(), TypeError, "under way");
  // The call that runs has not noticed.
  release();
  assertEquals(await adding, { bytes: 0 });
});

testUncommitted(
  "SnapshotWriter refuses paths that are not absolute and clean",
  async ({ writer }) => {
    const paths = [
      "",
      "/",
      "c",
      "c/d",
      "/c/",
      "//c",
      "/c//d",
      "/./c",
      "/c/..",
      "/../c",
      "/c/.",
      "./c",
    ];
    for (const path of paths) {
      if (path !== "/") assertThrows(() => writer.addDirectory(path), TypeError, undefined, path);
      assertThrows(() => writer.addSymlink(path, "x"), TypeError, undefined, path);
    }
    assertThrows(() => writer.addSymlink("/c", ""), TypeError);
    assertThrows(() => writer.addDirectory("/\ud800"), TypeError, "clean");
    await assertRejects(() => writer.addFile("c", streamOf(FILES["/a"])), TypeError, "clean");
  },
);

for (const path of ["/c", "/d", "/e", "/d/x", "/c/x", "/e/x"]) {
  testUncommitted(
    `SnapshotWriter refuses a second entry at or below ${path}`,
    async ({ writer }) => {
      await writer.addFile("/c", streamOf(FILES["/a"]));
      await writer.addFile("/d/x", streamOf(FILES["/a"]));
      writer.addSymlink("/e", "d");
      let cancelled = false;
      const stream = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
      await assertRejects(() => writer.addFile(path, stream), TypeError, `"${path}"`);
      assert(cancelled, "the stream was left open");
    },
  );
}

testUncommitted("SnapshotWriter takes nothing after an abort or a failure", async (subject) => {
  const { repository, writer } = subject;
  await writer.abort();
  const failed = await repository.createSnapshot(SNAPSHOT);
  const failing = new ReadableStream<Uint8Array>({
    pull: () => {
      throw new Error("no");
    },
  });
  await assertRejects(() => failed.addFile("/c", failing), Error, "no");
  const committed = await repository.createSnapshot(SNAPSHOT);
  await committed.addFile("/d", streamOf(FILES["/a"]));
  for (const [ended, phase] of [[writer, "aborted"], [failed, "failed"]] as const) {
    await assertRejects(() => ended.addFile("/x", streamOf(FILES["/a"])), TypeError, phase);
    await assertRejects(() => ended.commit(), TypeError, phase);
    assertThrows(() => ended.addDirectory("/x"), TypeError, phase);
    assertThrows(() => ended.addSymlink("/x", "y"), TypeError, phase);
  }
  await failed.abort();
  await committed.abort();
});

Deno.test("SnapshotWriter takes nothing after its commit", async () => {
  const store = new MemoryStore();
  await createWith(store, smallConfiguration());
  await using repository = await openSmall(store);
  const writer = await repository.createSnapshot(SNAPSHOT);
  await writer.commit();
  await assertRejects(() => writer.addFile("/x", streamOf(FILES["/a"])), TypeError, "committed");
  await assertRejects(() => writer.commit(), TypeError, "committed");
  assertThrows(() => writer.addDirectory("/x"), TypeError, "committed");
  await assertSnapshot(repository, writer.id, {});
});

Deno.test("SnapshotWriter counts what it reads, and what is new", async () => {
  const store = new MemoryStore();
  await createWith(store, smallConfiguration());
  await using repository = await openSmall(store);
  const totals = () => [...store.objects.packfile.values(), ...store.objects.state.values()];
  const sum = (all: Uint8Array[]) => all.reduce((total, { length }) => total + length, 0);
  const progress: number[] = [];
  const writer = await repository.createSnapshot({
    ...SNAPSHOT,
    onProgress: ({ bytesRead }) => progress.push(bytesRead),
  });
  assertEquals(await writer.addFile("/a", streamOf(FILES["/a"])), { bytes: 5000 });
  const after = writer.statistics;
  assertEquals([after.bytesRead, after.bytesNew], [5000, 5000]);
  assertEquals(after.chunks, after.chunksNew);
  await writer.addFile("/again", streamOf(FILES["/a"]));
  const twice = writer.statistics;
  assertEquals([twice.bytesRead, twice.bytesNew], [10_000, 5000]);
  assertEquals([twice.chunks, twice.chunksNew], [2 * after.chunks, after.chunks]);
  assertEquals(progress.length, twice.chunks);
  assertEquals(progress, progress.toSorted((a, b) => a - b));
  await writer.commit();
  assertEquals(writer.statistics.bytesStored, sum(totals()));
});

Deno.test("SnapshotWriter fills several packfiles where the repository wants small ones", async () => {
  const store = new MemoryStore();
  const packfile = { minSize: 0n, averageSize: 0n, maxSize: 5000n };
  await createWith(store, smallConfiguration({ packfile }));
  await using repository = await openSmall(store);
  const files = { "/a": noise(40_000, 1), "/b": noise(20_000, 2) };
  const id = await backUp(repository, files);
  assert(store.objects.packfile.size > 10, `${store.objects.packfile.size} packfiles`);
  await assertSnapshot(repository, id, files);
});
