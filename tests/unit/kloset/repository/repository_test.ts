import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Configuration } from "../../../../src/kloset/format/mod.ts";
import {
  AmbiguousSnapshotIdError,
  createRepository,
  InvalidSnapshotIdError,
  openRepository,
  openStore,
  type Repository,
  SnapshotNotFoundError,
} from "../../../../src/kloset/mod.ts";
import {
  assertSnapshot,
  backUp,
  createEncryptedWith,
  createWith,
  type Files,
  noise,
  openSmall,
  PASSPHRASE,
  prose,
  smallConfiguration,
  SNAPSHOT,
  snapshotIds,
  streamOf,
} from "../../../faults/backups.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";
import { TemporaryDirectory } from "../../../faults/temporary_directory.ts";

const MIB = 1024 * 1024;

async function sumOfSizes(directory: TemporaryDirectory, folder: string): Promise<number> {
  const files = await directory.files(folder);
  return files.reduce(
    (sum, file) => sum + Deno.statSync(directory.at(`${folder}/${file}`)).size,
    0,
  );
}

async function memoryRepository(
  configuration = smallConfiguration(),
): Promise<{ store: MemoryStore; repository: Repository }> {
  const store = new MemoryStore();
  await createWith(store, configuration);
  return { store, repository: await openSmall(store) };
}

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

const FILES = { "/random": noise(4000, 1), "/text": prose(3000, 2), "/empty": new Uint8Array() };

async function makeRepository(
  overrides: Partial<Configuration> = {},
): Promise<{ store: MemoryStore; id: string }> {
  const store = new MemoryStore();
  await createEncryptedWith(store, smallConfiguration(overrides));
  await using repository = await openSmall(store, PASSPHRASE);
  return { store, id: await backUp(repository, FILES) };
}

Deno.test("an encrypted repository is read back, whatever it is compressed and hashed with", async (t) => {
  const { compression } = smallConfiguration();
  for (const algorithm of ["LZ4", "GZIP", undefined]) {
    for (const hashing of ["BLAKE3", "SHA256"]) {
      await t.step(`${algorithm ?? "no compression"}, ${hashing}`, async () => {
        const { store, id } = await makeRepository({
          hashing: { algorithm: hashing, bits: 256 },
          compression: algorithm === undefined ? undefined : { ...compression!, algorithm },
        });
        await using repository = await openSmall(store, PASSPHRASE);
        assert(repository.isEncrypted);
        await assertSnapshot(repository, id, FILES);
        // Keyed with the same key, the same chunks are found again.
        const writer = await repository.createSnapshot(SNAPSHOT);
        await writer.addFile("/random", streamOf(FILES["/random"]));
        await writer.commit();
        assertEquals(writer.statistics.chunksNew, 0);
      });
    }
  }
});
