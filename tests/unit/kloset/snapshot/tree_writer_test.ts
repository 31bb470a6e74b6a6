import { assertEquals } from "@std/assert";
import type { Entry, Repository, SnapshotReader } from "../../../../src/kloset/mod.ts";
import {
  backUp,
  contentOf,
  createWith,
  openSmall,
  prose,
  smallConfiguration,
  SNAPSHOT,
  streamOf,
} from "../../../faults/backups.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";

async function entriesOf(reader: SnapshotReader): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of reader.entries()) entries.push(entry);
  return entries;
}

async function memoryRepository(): Promise<{ repository: Repository }> {
  const store = new MemoryStore();
  await createWith(store, smallConfiguration());
  return { repository: await openSmall(store) };
}

Deno.test("writeTree() keeps trees: directories, links, empty files, names in any script", async () => {
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

Deno.test("writeTree() keeps 2,000 files", async () => {
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
