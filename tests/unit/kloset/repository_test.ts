import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  AmbiguousSnapshotIdError,
  createRepository,
  type Entry,
  InvalidSnapshotIdError,
  openRepository,
  openStore,
  type Repository,
  SnapshotNotFoundError,
  type SnapshotReader,
  StoreError,
} from "../../../src/kloset/mod.ts";
import { defaultConfiguration } from "../../../src/kloset/format/mod.ts";
import {
  assertSnapshot,
  backUp,
  contentOf,
  createWith,
  type Files,
  noise,
  openSmall,
  prose,
  smallConfiguration,
  SNAPSHOT,
  snapshotIds,
  streamOf,
} from "../../faults/backups.ts";
import { MemoryStore } from "../../faults/memory_store.ts";
import { TemporaryDirectory } from "../../faults/temporary_directory.ts";

const MIB = 1024 * 1024;

async function sumOfSizes(directory: TemporaryDirectory, folder: string): Promise<number> {
  const files = await directory.files(folder);
  return files.reduce(
    (sum, file) => sum + Deno.statSync(directory.at(`${folder}/${file}`)).size,
    0,
  );
}

async function entriesOf(reader: SnapshotReader): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of reader.entries()) entries.push(entry);
  return entries;
}

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

Deno.test("Repository gives back what it was given, whatever the size", async (t) => {
  await using directory = await TemporaryDirectory.make();
  const path = directory.at("repository");
  await using repository = await createRepository(openStore(path));
  const sizes = [0, 1, 512 * 1024 - 1, 512 * 1024, 512 * 1024 + 1, 8 * MIB, 20 * MIB + 17];
  const files: Record<string, Uint8Array> = {};
  for (const size of sizes) files[`/noise-${size}`] = noise(size, size);
  files["/zeros"] = new Uint8Array(8 * MIB);
  files["/text"] = prose(3 * MIB, 5);
  let id = "";
  await t.step("write", async () => {
    id = await backUp(repository, files);
    await assertSnapshot(repository, id, files);
  });
  await t.step("read by another client, as streams", async () => {
    await using other = await openRepository(openStore(path));
    assertEquals(other.id, repository.id);
    const reader = await other.openSnapshot(id);
    for (const [path, bytes] of Object.entries(files)) {
      const read = new Uint8Array(await new Response(reader.read(path)).arrayBuffer());
      assert(read.length === bytes.length && read.every((byte, i) => byte === bytes[i]), path);
    }
  });
  await t.step("a second snapshot of the same stores almost nothing", async () => {
    const before = await sumOfSizes(directory, "repository");
    const writer = await repository.createSnapshot(SNAPSHOT);
    for (const [path, bytes] of Object.entries(files)) await writer.addFile(path, streamOf(bytes));
    await writer.commit();
    const { bytesRead, bytesNew, bytesStored, chunksNew } = writer.statistics;
    assertEquals(bytesRead, Object.values(files).reduce((sum, { length }) => sum + length, 0));
    assertEquals([bytesNew, chunksNew], [0, 0]);
    assertEquals(bytesStored, await sumOfSizes(directory, "repository") - before);
    assert(bytesStored < 40_000, `${bytesStored} bytes were added`);
    await assertSnapshot(repository, writer.id, files);
  });
});

Deno.test("Repository keeps trees: directories, links, empty files, names in any script", async () => {
  const { repository } = await memoryRepository();
  await using _ = repository;
  const mtime = new Date("2024-05-06T07:08:09.123Z");
  const names = [
    "a b",
    "ä",
    "日本語",
    "🎉",
    "e\u0301",
    "\u00e9",
    "-",
    "~",
    "new\nline",
    "a\\b",
    ".x",
  ];
  const writer = await repository.createSnapshot(SNAPSHOT);
  writer.addDirectory("/", { mode: 0o711 });
  writer.addDirectory("/dir", { mode: 0o750, mtime, uid: 1000, gid: 100 });
  writer.addDirectory("/dir/empty");
  writer.addSymlink("/dir/link", "../no/such/ä", { mtime });
  await writer.addFile("/dir/empty.txt", streamOf(new Uint8Array()), { mode: 0o600, mtime });
  for (const name of names) await writer.addFile(`/names/${name}/${name}`, streamOf(prose(99, 1)));
  await writer.commit();

  const reader = await repository.openSnapshot(writer.id);
  assertEquals(await reader.check(), []);
  const entries = await entriesOf(reader);
  const depths = entries.map(({ path }) => path === "/" ? 0 : path.split("/").length - 1);
  assertEquals(depths, depths.toSorted((a, b) => a - b), "entries come by depth");
  assertEquals(
    new Set(entries.map(({ path }) => path)),
    new Set([
      "/",
      "/dir",
      "/dir/empty",
      "/dir/empty.txt",
      "/dir/link",
      "/names",
      ...names.flatMap((name) => [`/names/${name}`, `/names/${name}/${name}`]),
    ]),
  );
  assertEquals(entries.length, 6 + 2 * names.length);
  assertEquals(await reader.stat("/dir"), {
    path: "/dir",
    type: "directory",
    size: 0,
    mode: 0o750,
    mtime,
    uid: 1000,
    gid: 100,
  });
  const link = await reader.stat("/dir/link");
  assertEquals([link?.type, link?.linkTarget, link?.mtime], ["symlink", "../no/such/ä", mtime]);
  const empty = await reader.stat("/dir/empty.txt");
  assertEquals([empty?.type, empty?.size, empty?.mode], ["file", 0, 0o600]);
  assertEquals((await reader.stat("/"))?.mode, 0o711);
  for (const entry of entries) assertEquals(await reader.stat(entry.path), entry);
  for (const path of ["/no", "/dir/", "dir", "", "/dir/empty.txt/x", "//dir"]) {
    assertEquals(await reader.stat(path), undefined, path);
  }
  assertEquals(await reader.errors(), []);
  for (const name of names) {
    assertEquals(await contentOf(repository, writer.id, `/names/${name}/${name}`), prose(99, 1));
  }
});

Deno.test("Repository keeps 2,000 files", async () => {
  const { repository } = await memoryRepository();
  await using _ = repository;
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < 2000; i++) {
    files[`/${i % 7}/${i % 3}/file ${i}`] = prose(i % 40 === 0 ? 3000 : i % 90, i);
  }
  const id = await backUp(repository, files);
  const reader = await repository.openSnapshot(id);
  assertEquals(await reader.check(), []);
  const entries = await entriesOf(reader);
  assertEquals(entries.length, 2000 + 1 + 7 + 21);
  for (const i of [0, 1, 40, 999, 1999]) {
    const path = `/${i % 7}/${i % 3}/file ${i}`;
    assertEquals((await reader.stat(path))?.size, files[path]!.length);
    assertEquals(await contentOf(repository, id, path), files[path]!);
  }
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

Deno.test("Repository finds snapshots by prefix", async () => {
  const { repository } = await memoryRepository();
  await using _ = repository;
  assertThrows(() => repository.resolveSnapshotId("ab"), SnapshotNotFoundError);
  const ids: string[] = [];
  // Seventeen ids: two start with the same digit.
  for (let i = 0; i < 17; i++) ids.push(await backUp(repository, {}));
  for (const id of ids) {
    assertEquals(repository.resolveSnapshotId(id), id);
    assertEquals(repository.resolveSnapshotId(id.slice(0, 20).toUpperCase()), id);
  }
  const digit = "0123456789abcdef".split("")
    .find((digit) => ids.filter((id) => id.startsWith(digit)).length > 1)!;
  const ambiguous = assertThrows(
    () => repository.resolveSnapshotId(digit),
    AmbiguousSnapshotIdError,
  );
  assertEquals(ambiguous.matches, ids.filter((id) => id.startsWith(digit)).length);
  const missing = assertThrows(
    () => repository.resolveSnapshotId("00000000000000000000"),
    SnapshotNotFoundError,
  );
  assertEquals(missing.available.toSorted(), ids.toSorted());
  for (const prefix of ["", "xyz", "12 ", "0x12", "-"]) {
    assertThrows(() => repository.resolveSnapshotId(prefix), InvalidSnapshotIdError);
  }
  await assertRejects(() => repository.openSnapshot("00".repeat(32)), SnapshotNotFoundError);
  assertEquals(await snapshotIds(repository), ids.toSorted());
});

Deno.test("Repository lists snapshots from the oldest, with all that they say", async () => {
  const store = new MemoryStore();
  await createWith(store, smallConfiguration());
  const clock = [3000, 1000, 2000];
  for (const now of clock) {
    await using repository = await openSmall(store, { now: () => now, hostname: "box" });
    await backUp(repository, {}, {
      name: `at ${now}`,
      tags: ["a=b", "c"],
      importer: { type: "infrahub", origin: "there", directory: "/" },
    });
  }
  await using repository = await openSmall(store);
  const { headers } = await repository.snapshots();
  assertEquals(headers.map(({ name }) => name), ["at 1000", "at 2000", "at 3000"]);
  const [header] = headers;
  assertEquals(header?.timestamp, new Date(1000));
  assertEquals(header?.tags, ["a=b", "c"]);
  assertEquals(header?.importer, { type: "infrahub", origin: "there", directory: "/" });
  assertEquals(header?.context[0], { key: "Hostname", value: "box" });
});

Deno.test("Repository takes two snapshots at once from one client", async () => {
  const { store, repository } = await memoryRepository();
  await using _ = repository;
  const shared = noise(60_000, 7);
  const sets: Files[] = [1, 2, 3, 4].map((i) => ({ "/shared": shared, "/own": noise(40_000, i) }));
  const ids = await Promise.all(sets.map((files) => backUp(repository, files)));
  for (const [i, id] of ids.entries()) await assertSnapshot(repository, id, sets[i]!);
  await using other = await openSmall(store);
  for (const [i, id] of ids.entries()) await assertSnapshot(other, id, sets[i]!);
  assertEquals(store.objects.lock.size, 0);
});

Deno.test("Repository takes two snapshots at once from two clients", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = directory.at("repository");
  await using first = await createRepository(openStore(path), { jobs: 1 });
  await using second = await openRepository(openStore(path), { jobs: 1 });
  const shared = noise(3 * MIB, 7);
  const sets: Files[] = [1, 2].map((i) => ({ "/shared": shared, "/own": noise(2 * MIB, i) }));
  const ids = await Promise.all(
    [first, second].map((repository, i) => backUp(repository, sets[i]!)),
  );
  // Each knows its own; one that is opened now knows both.
  assertEquals(await snapshotIds(first), [ids[0]]);
  assertEquals(await snapshotIds(second), [ids[1]]);
  await using third = await openRepository(openStore(path), { jobs: 1 });
  assertEquals(await snapshotIds(third), ids.toSorted());
  for (const [i, id] of ids.entries()) await assertSnapshot(third, id, sets[i]!);
  assertEquals((await directory.files()).filter((name) => /tmp\.|locks\//.test(name)), []);
});

Deno.test("Repository shows the snapshots that others commit once it writes itself or is reopened", async () => {
  const { store, repository: reader } = await memoryRepository();
  await using _ = reader;
  await using writer = await openSmall(store);
  const files = { "/a": noise(5000, 1) };
  const id = await backUp(writer, files);
  assertEquals(await snapshotIds(reader), []);
  assertThrows(() => reader.resolveSnapshotId(id), SnapshotNotFoundError);
  await using reopened = await openSmall(store);
  await assertSnapshot(reopened, id, files);
  // A writer merges what is new first, and relies on it.
  const second = await reader.createSnapshot(SNAPSHOT);
  await second.addFile("/a", streamOf(files["/a"]));
  await second.commit();
  assertEquals(second.statistics.chunksNew, 0);
  assertEquals(await snapshotIds(reader), [id, second.id].toSorted());
});

Deno.test("createRepository() creates only where there is nothing", async () => {
  await using directory = await TemporaryDirectory.make();
  Deno.mkdirSync(directory.at("empty"));
  for (const name of ["missing/deep", "empty"]) {
    const store = openStore(directory.at(name));
    await using repository = await createRepository(store, { now: () => 1_700_000_000_123 });
    const { configuration } = repository;
    const expected = defaultConfiguration(configuration.repositoryId, 1_700_000_000_123_000_000n);
    assertEquals(configuration, expected);
    assertEquals(repository.location, store.location);
  }
  Deno.mkdirSync(directory.at("foreign"));
  Deno.writeTextFileSync(directory.at("foreign/notes.txt"), "mine");
  Deno.writeTextFileSync(directory.at("file"), "mine");
  for (const name of ["missing/deep", "foreign", "file", "file/below"]) {
    const before = await directory.listing();
    await assertRejects(() => createRepository(openStore(directory.at(name))), StoreError);
    assertEquals(await directory.listing(), before, name);
  }
});

Deno.test("Repository.close() ends what is under way, and may be repeated", async () => {
  const { store, repository } = await memoryRepository();
  const id = await backUp(repository, { "/a": noise(5000, 1) });
  const reader = await repository.openSnapshot(id);
  await repository.close();
  await repository.close();
  await assertRejects(() => reader.check(), Error, "closed");
  await using reopened = await openSmall(store);
  assertEquals(await (await reopened.openSnapshot(id)).check(), []);
});

Deno.test("Repository works with every compression and hash", async (t) => {
  const { compression } = smallConfiguration();
  for (const algorithm of ["LZ4", "GZIP", undefined]) {
    for (const hashing of ["BLAKE3", "SHA256"]) {
      await t.step(`${algorithm ?? "no compression"}, ${hashing}`, async () => {
        const store = new MemoryStore();
        await createWith(
          store,
          smallConfiguration({
            compression: algorithm === undefined ? undefined : { ...compression!, algorithm },
            hashing: { algorithm: hashing, bits: 256 },
          }),
        );
        const files = { "/n": noise(20_000, 1), "/p": prose(20_000, 2), "/e": new Uint8Array() };
        await using repository = await openSmall(store);
        const id = await backUp(repository, files);
        await assertSnapshot(repository, id, files);
        await using reopened = await openSmall(store);
        await assertSnapshot(reopened, id, files);
      });
    }
  }
});
