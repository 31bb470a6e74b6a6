import { assert, assertEquals, assertRejects } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import { encodeEnvelope, ResourceType } from "../../../../src/kloset/format/mod.ts";
import { CorruptionError, openStore, UnsupportedVersionError } from "../../../../src/kloset/mod.ts";
import {
  assertSnapshot,
  backUp,
  createWith,
  noise,
  openSmall,
  smallConfiguration,
  SNAPSHOT,
  snapshotIds,
} from "../../../faults/backups.ts";
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

Deno.test("States.merge() refuses a state that is newer than it knows", async () => {
  await using directory = await TemporaryDirectory.make();
  const { store, state } = await makeThree(directory);
  const kernels = await Kernels.load();
  const key = kernels.blake3(smallConfiguration().repositoryId);
  const newer = encodeEnvelope(
    ResourceType.STATE,
    0x00020000,
    new Uint8Array(100),
    (bytes) => kernels.blake3(bytes, key),
  );
  Deno.writeFileSync(state, newer);
  const before = await directory.listing();
  await assertRejects(() => openSmall(store), UnsupportedVersionError, "2.0.0");
  assertEquals(await directory.listing(), before);
});

Deno.test("openRepository() opens beside a damaged state, and writes nothing more", async (t) => {
  await using directory = await TemporaryDirectory.make();
  const { store, first, second, third, state } = await makeThree(directory);
  const sound = Deno.readFileSync(state);
  const damages: [string, Uint8Array][] = [
    ["empty", new Uint8Array()],
    ["cut", sound.subarray(0, 200)],
    ["flipped", sound.with(300, sound[300]! ^ 8)],
    ["flipped in its version", sound.with(14, sound[14]! ^ 8)],
    ["flipped in its kind", sound.with(8, sound[8]! ^ 1)],
    ["flipped in its magic", sound.with(0, 0)],
    ["another state's bytes, cut", sound.subarray(0, -1)],
  ];
  for (const [name, bytes] of damages) {
    await t.step(name, async () => {
      Deno.writeFileSync(state, bytes);
      const warnings: string[] = [];
      await using repository = await openSmall(store, {
        onWarning: (message) => warnings.push(message),
      });
      assertEquals(warnings.length, 1);
      assert(warnings[0]!.includes(second));
      assertEquals(repository.damagedStates.map(({ id }) => id), [second]);
      assertEquals(await snapshotIds(repository), [first, third].sort());
      await assertSnapshot(repository, first, FILES);
      await assertSnapshot(repository, third, { "/a": noise(3000, 11) });
      const before = await directory.files();
      const refused = () => repository.createSnapshot(SNAPSHOT);
      await assertRejects(refused, CorruptionError, second);
      assertEquals(await directory.files(), before);
      // Damage that goes away, such as a bad cable's, is not held against the repository.
      Deno.writeFileSync(state, sound);
      const writer = await repository.createSnapshot(SNAPSHOT);
      await writer.abort();
      assertEquals(repository.damagedStates, []);
      await assertSnapshot(repository, second, { "/a": noise(3000, 10) });
    });
  }
});
