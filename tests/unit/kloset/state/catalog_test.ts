import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type EngineOptions,
  openStore,
  type Store,
  StoreError,
  WrongPassphraseError,
} from "../../../../src/kloset/mod.ts";
import {
  assertSnapshot,
  backUp,
  createEncryptedWith,
  createWith,
  noise,
  openSmall,
  PASSPHRASE,
  smallConfiguration,
  SNAPSHOT,
  snapshotIds,
} from "../../../faults/backups.ts";
import { macToHex, ResourceType, VERSION_1_0_0 } from "../../../../src/kloset/format/mod.ts";
import { id, StateBench } from "../_state_bench.ts";
import { TemporaryDirectory } from "../../../faults/temporary_directory.ts";

const FILES = { "/a": noise(4000, 1) };

/** A repository of three snapshots, and the path of the second one's state. */
async function makeThree(directory: TemporaryDirectory) {
  const store = openStore(directory.at("repository"));
  await createWith(store, smallConfiguration());
  const ids: string[] = [];
  for (const files of [FILES, { "/a": noise(3000, 10) }, { "/a": noise(3000, 11) }]) {
    await using repository = await openSmall(store);
    ids.push(await backUp(repository, files));
  }
  const [first, second, third] = ids as [string, string, string];
  const state = directory.at(`repository/states/${second.slice(0, 2)}/${second}`);
  return { store, first, second, third, state };
}

Deno.test("Catalog keeps its index in the cache between runs, and does without", async () => {
  await using directory = await TemporaryDirectory.make();
  const { store, first, second, third } = await makeThree(directory);
  const cacheDirectory = directory.at("cache");
  const check = async () => {
    const warnings: string[] = [];
    await using repository = await openSmall(store, {
      cacheDirectory,
      onWarning: (message) => warnings.push(message),
    });
    assertEquals(await snapshotIds(repository), [first, second, third].sort());
    await assertSnapshot(repository, first, FILES);
    await assertSnapshot(repository, third, { "/a": noise(3000, 11) });
    return warnings;
  };
  assertEquals(await check(), []);
  assertEquals(await check(), []);
  const files = (await directory.files("cache")).map((file) => `${cacheDirectory}/${file}`);
  assert(files.length > 0);
  for (const file of files) Deno.writeFileSync(file, noise(10_000, 1));
  await check();
  assertEquals(await check(), []);
  Deno.removeSync(cacheDirectory, { recursive: true });
  Deno.writeTextFileSync(cacheDirectory, "a file is in the way");
  assertEquals((await check()).length, 1);
});

Deno.test("Catalog merges one after the other: what was deleted does not come back for a while", async () => {
  const bench = new StateBench();
  const catalog = await bench.open();
  const chunk = { type: ResourceType.CHUNK, version: VERSION_1_0_0, mac: id(0xb1) };
  bench.add(id(1), (encoder) => {
    encoder.addLocation({ ...chunk, packfile: id(0xac), offset: 0, length: 9 });
    encoder.addPackfile(id(0xac), id(1), 1n);
  });
  bench.add(id(2), (encoder) => encoder.deletePackfile(id(0xac)), { parent: id(1) });
  // The second answer of the store that has the deletion is slow.
  const { memory } = bench;
  const slow = Promise.withResolvers<void>();
  const reads = new Map<string, number>();
  const readAll = memory.readAll.bind(memory);
  memory.readAll = async (kind, name) => {
    const count = (reads.get(name) ?? 0) + 1;
    reads.set(name, count);
    if (name === macToHex(id(2)) && count === 2) await slow.promise;
    return await readAll(kind, name);
  };
  const merges = [catalog.refresh(), catalog.refresh()];
  await merges[0];
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(catalog.index.has(ResourceType.CHUNK, id(0xb1)), false);
  slow.resolve();
  await Promise.all(merges);
  assertEquals([...reads.values()], [1, 1]);
});

Deno.test("Catalog goes on merging after a merge that has failed", async () => {
  const bench = new StateBench();
  const catalog = await bench.open();
  bench.add(id(1), () => {});
  bench.store.setPlan(({ method }) => method === "list" ? { type: "fail" } : undefined);
  await assertRejects(() => catalog.refresh(), StoreError);
  bench.store.setPlan();
  await catalog.refresh();
  assertEquals(catalog.states.latest?.id, macToHex(id(1)));
});

Deno.test("Catalog notices with a cache what others add and take away", async () => {
  await using directory = await TemporaryDirectory.make();
  const { store, first, second, third, state } = await makeThree(directory);
  const options = { cacheDirectory: directory.at("cache") };
  const ids = async () => {
    await using repository = await openSmall(store, options);
    return await snapshotIds(repository);
  };
  assertEquals(await ids(), [first, second, third].sort());
  let added: string;
  {
    await using repository = await openSmall(store);
    added = await backUp(repository, FILES);
  }
  assertEquals(await ids(), [first, second, third, added].sort());
  {
    await using repository = await openSmall(store, options);
    const again = await repository.createSnapshot(SNAPSHOT);
    await again.addFile("/a", new Blob([FILES["/a"] as BlobPart]).stream());
    await again.commit();
    assertEquals(again.statistics.chunksNew, 0);
    added += ` ${again.id}`;
  }
  assertEquals(await ids(), [first, second, third, ...added.split(" ")].sort());
  // The repository was put back from an older copy.
  Deno.removeSync(state);
  assertEquals(await ids(), [first, third, ...added.split(" ")].sort());
});

function passphrase(text: string): EngineOptions {
  return { passphrase: () => Promise.resolve(new TextEncoder().encode(text)) };
}

Deno.test("the cache of an encrypted repository shows no names, and serves who has the key", async () => {
  await using directory = await TemporaryDirectory.make();
  const store: Store = openStore(directory.at("repository"));
  await createEncryptedWith(store, smallConfiguration());
  const cacheDirectory = directory.at("cache");
  const secret = "name-that-nobody-may-see";
  const list = async (options: EngineOptions = {}) => {
    await using repository = await openSmall(store, { ...PASSPHRASE, cacheDirectory, ...options });
    return (await repository.snapshots()).headers.map(({ name }) => name);
  };
  {
    const hostname = "host-that-nobody-may-see";
    await using repository = await openSmall(store, { ...PASSPHRASE, cacheDirectory, hostname });
    await backUp(repository, FILES, { name: secret, tags: [`tag=${secret}`] });
  }
  assertEquals(await list(), [secret]);
  // The header comes from the cache: its packfiles are away.
  await Deno.rename(directory.at("repository/packfiles"), directory.at("away"));
  assertEquals(await list(), [secret]);
  let size = 0;
  for await (const { name } of Deno.readDir(cacheDirectory)) {
    const content = await Deno.readFile(`${cacheDirectory}/${name}`);
    size += content.length;
    const text = new TextDecoder("latin1").decode(content);
    assert(!text.includes("nobody-may-see"), `${name} shows a name`);
  }
  assert(size > 10_000, "there is a cache");
  await assertRejects(() => list(passphrase("another passphrase")), WrongPassphraseError);
});
