import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Catalog } from "../../../../src/kloset/state/mod.ts";
import { Codec, MacFunction } from "../../../../src/kloset/unit/mod.ts";
import { macFromHex } from "../../../../src/kloset/format/mod.ts";
import { Kernels } from "../../../../src/kernels/mod.ts";
import {
  assertSnapshot,
  backUp,
  contentOf,
  createWith,
  noise,
  openSmall,
  smallConfiguration,
  SNAPSHOT,
  streamOf,
} from "../../../faults/backups.ts";
import { FaultyStore } from "../../../faults/faulty_store.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";
import { TemporaryDirectory } from "../../../faults/temporary_directory.ts";

const FILES = { "/dump": noise(20_000, 1) };

/** A repository with one snapshot of {@linkcode FILES}, and its packfiles, the largest first. */
async function oneBackup() {
  const store = new MemoryStore();
  await createWith(store, smallConfiguration());
  await using repository = await openSmall(store);
  const id = await backUp(repository, FILES);
  const packfiles = [...store.objects.packfile].sort(([, a], [, b]) => b.length - a.length)
    .map(([id]) => id);
  return { store, id, packfiles };
}

for (const damage of ["lost", "cut short"] as const) {
  Deno.test(`what was in a packfile that is ${damage} is stored again, and the user told`, async () => {
    for (const which of [0, 1]) {
      const { store, id, packfiles } = await oneBackup();
      const packfile = packfiles[which]!;
      const bytes = store.objects.packfile.get(packfile)!;
      if (damage === "lost") store.objects.packfile.delete(packfile);
      else store.objects.packfile.set(packfile, bytes.slice(0, 200));
      const warnings: string[] = [];
      await using repository = await openSmall(store, { onWarning: (text) => warnings.push(text) });
      const again = await backUp(repository, FILES);
      assertEquals(warnings.length, 1, warnings.join("\n"));
      assertStringIncludes(warnings[0]!, packfile);
      assertStringIncludes(warnings[0]!, damage === "lost" ? "missing" : "cut short");
      // The header of the first snapshot is among the structures, which are in the smaller packfile.
      assertEquals(warnings[0]!.includes(id.slice(0, 16)), which === 1, warnings[0]);
      await assertSnapshot(repository, again, FILES);
      await backUp(repository, FILES);
      assertEquals(warnings.length, 1, "each is told once");

      await using fresh = await openSmall(store);
      await assertSnapshot(fresh, again, FILES);
      // The chunks that were stored again are the first snapshot's as well; the listing of its
      // directory is lost, which holds times.
      if (which === 1) continue;
      assertEquals(await contentOf(fresh, id, "/dump"), FILES["/dump"]);
      const damages = await (await fresh.openSnapshot(id)).check();
      assertEquals(damages.map(({ path }) => path), ["/"]);
    }
  });
}

Deno.test("a place that is lost is taken back, so that no other client looks there first", async () => {
  const { store, packfiles } = await oneBackup();
  store.objects.packfile.delete(packfiles[0]!);
  await using repository = await openSmall(store);
  await backUp(repository, FILES);
  const kernels = await Kernels.load();
  const configuration = smallConfiguration();
  const catalog = await Catalog.open({
    store,
    codec: new Codec(kernels, { compression: "LZ4", encryption: undefined }),
    mac: new MacFunction(kernels, {
      algorithm: "BLAKE3",
      key: kernels.blake3(configuration.repositoryId),
    }),
    cache: undefined,
  });
  const { index } = catalog;
  const before = index.locationCount;
  assert(before > 20, `${before} locations`);
  assert(index.isDoubted(macFromHex(packfiles[0]!)) === false, "doubts are not saved");
  index.deletePackfile(macFromHex(packfiles[0]!));
  // Chunks of the listing of the first snapshot's directory, which nobody has stored again.
  assert(before - index.locationCount <= 3, `${before - index.locationCount} left`);
});

Deno.test("what a check has found damaged is stored again by a later run", async () => {
  await using directory = await TemporaryDirectory.make();
  const options = { cacheDirectory: directory.at("cache") };
  const { store, id, packfiles } = await oneBackup();
  const packfile = packfiles[0]!;
  const bytes = store.objects.packfile.get(packfile)!;
  store.objects.packfile.set(packfile, bytes.with(100, bytes[100]! ^ 1));
  {
    await using repository = await openSmall(store, options);
    const damages = await (await repository.openSnapshot(id)).check();
    assertEquals(damages.map((damage) => damage.packfile), [packfile]);
  }
  const warnings: string[] = [];
  await using repository = await openSmall(store, {
    ...options,
    onWarning: (text) => warnings.push(text),
  });
  const again = await backUp(repository, FILES);
  assertEquals(warnings.length, 1, warnings.join("\n"));
  assertStringIncludes(warnings[0]!, `found damaged: ${packfile}`);
  await using fresh = await openSmall(store);
  await assertSnapshot(fresh, again, FILES);
});

Deno.test("a packfile that is missing while it is read is not kept in mind: it may come back", async () => {
  await using directory = await TemporaryDirectory.make();
  const options = { cacheDirectory: directory.at("cache") };
  const { store, id, packfiles } = await oneBackup();
  const bytes = store.objects.packfile.get(packfiles[0]!)!;
  store.objects.packfile.delete(packfiles[0]!);
  {
    await using repository = await openSmall(store, options);
    assert((await (await repository.openSnapshot(id)).check()).length > 0);
  }
  store.objects.packfile.set(packfiles[0]!, bytes);
  const warnings: string[] = [];
  await using repository = await openSmall(store, {
    ...options,
    onWarning: (text) => warnings.push(text),
  });
  const writer = await repository.createSnapshot(SNAPSHOT);
  await writer.addFile("/dump", streamOf(FILES["/dump"]));
  await writer.commit();
  assertEquals([writer.statistics.bytesNew, warnings], [0, []]);
});

Deno.test("a backup begins with one listing of the packfiles, and asks for none by itself", async () => {
  const { store } = await oneBackup();
  const faulty = new FaultyStore(store);
  await using repository = await openSmall(faulty);
  const before = faulty.operations.length;
  await backUp(repository, FILES);
  const asked = faulty.operations.slice(before);
  assertEquals(asked.filter(({ method }) => method === "listSizes").length, 1);
  assertEquals(asked.filter(({ method, kind }) => method === "size" && kind === "packfile"), []);
});

Deno.test("of two copies of a blob the one that is sound is read, and the other is told of", async () => {
  for (const which of [0, 1]) {
    for (const damage of ["lost", "cut", "flipped"]) {
      const { store, packfiles } = await oneBackup();
      const spoilt = packfiles[which]!;
      const bytes = store.objects.packfile.get(spoilt)!;
      // Stored again, as by another client that began at the same time.
      store.objects.packfile.delete(spoilt);
      const copy = new MemoryStore();
      copy.configuration = store.configuration;
      await using other = await openSmall(copy);
      const second = await backUp(other, FILES);
      for (const kind of ["packfile", "state"] as const) {
        for (const [id, bytes] of copy.objects[kind]) store.objects[kind].set(id, bytes);
      }
      if (damage === "cut") store.objects.packfile.set(spoilt, bytes.slice(0, 20));
      if (damage === "flipped") {
        const body = bytes.length - 9000;
        store.objects.packfile.set(
          spoilt,
          bytes.map((byte, at) => at > 15 && at < body ? byte ^ 4 : byte),
        );
      }
      const warnings: string[] = [];
      await using repository = await openSmall(store, { onWarning: (text) => warnings.push(text) });
      await assertSnapshot(repository, second, FILES);
      const reader = await repository.openSnapshot(second);
      assertEquals(await reader.check({ fast: true }), []);
      assertEquals(warnings.length, 1, warnings.join("\n"));
      assertStringIncludes(warnings[0]!, "another copy is sound");
      assertStringIncludes(warnings[0]!, spoilt);
    }
  }
});
