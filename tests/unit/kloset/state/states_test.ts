import { assert, assertEquals, assertRejects } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import {
  encodeEnvelope,
  macToHex,
  ResourceType,
  type StateEncoder,
  VERSION_1_0_0,
  VERSION_1_1_0,
} from "../../../../src/kloset/format/mod.ts";
import {
  CorruptionError,
  openStore,
  StoreError,
  UnsupportedVersionError,
} from "../../../../src/kloset/mod.ts";
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

const { CHUNK, PACKFILE, SNAPSHOT: HEADER } = ResourceType;
const [BLOB, PACK] = [id(0xb1), id(0xac)];

function location(packfile = PACK, mac = BLOB, type: number = CHUNK) {
  return { type, version: VERSION_1_0_0, mac, packfile, offset: 0, length: 5 };
}

/** Adds a packfile with the blob in it. */
function packfileWithBlob(encoder: StateEncoder): void {
  encoder.addLocation(location());
  encoder.addPackfile(PACK, id(1), 1n);
}

Deno.test("States.merge() takes colours and deletions in the order of parents, against the clocks", async () => {
  const bench = new StateBench();
  // Each state was written by a host whose clock is behind that of the one before.
  bench.add(id(1), packfileWithBlob, { timestampNs: 30n });
  bench.add(id(2), (encoder) => encoder.addColoured(PACKFILE, PACK, 5n), {
    parent: id(1),
    timestampNs: 20n,
  });
  const has = async () => (await bench.open()).index.has(CHUNK, BLOB);
  assertEquals(await has(), false);
  bench.add(id(3), (encoder) => encoder.deleteColoured(PACKFILE, PACK), {
    parent: id(2),
    timestampNs: 10n,
  });
  assertEquals(await has(), true);
  bench.add(id(4), (encoder) => encoder.deletePackfile(PACK), { parent: id(3), timestampNs: 5n });
  assertEquals(await has(), false);
});

Deno.test("States.merge() goes by time where parents tell nothing", async () => {
  const bench = new StateBench();
  bench.add(id(1), packfileWithBlob);
  bench.add(id(9), (encoder) => encoder.addColoured(PACKFILE, PACK, 5n), { timestampNs: 10n });
  bench.add(id(2), (encoder) => encoder.deleteColoured(PACKFILE, PACK), { timestampNs: 20n });
  const { index, states } = await bench.open();
  assertEquals(index.has(CHUNK, BLOB), true);
  assertEquals([...states.known].map(({ timestampNs }) => timestampNs), [1n, 10n, 20n]);
  assertEquals(states.latest?.id, macToHex(id(2)));
});

Deno.test("States.merge() ends where parents make a circle", async () => {
  const bench = new StateBench();
  for (const [own, parent] of [[1, 2], [2, 3], [3, 1]]) {
    bench.add(id(own!), () => {}, { parent: id(parent!) });
  }
  assertEquals([...(await bench.open()).states.known].length, 3);
});

Deno.test("States.merge() merges what is new, and forgets no state that has vanished", async () => {
  const bench = new StateBench();
  bench.add(id(1), packfileWithBlob);
  const catalog = await bench.open();
  assertEquals(catalog.states.lacks([macToHex(id(1))]), false);
  bench.memory.objects.state.clear();
  bench.add(id(2), (encoder) => {
    encoder.addLocation(location(id(7), id(8), HEADER));
    encoder.addPackfile(id(7), id(2), 2n);
  }, { version: VERSION_1_0_0 });
  assertEquals(catalog.states.lacks([macToHex(id(2))]), true);
  await catalog.refresh();
  assertEquals(catalog.index.has(CHUNK, BLOB), true);
  assertEquals(catalog.index.snapshotIds(), [id(8)]);
  assertEquals(catalog.states.needsVersion11, true);
});

Deno.test("States.merge() merges nothing of a stream that is malformed at its end", async () => {
  const bench = new StateBench();
  bench.add(id(1), packfileWithBlob);
  const { stream } = bench.read(id(1));
  bench.memory.objects.state.set(
    macToHex(id(1)),
    encodeEnvelope(
      ResourceType.STATE,
      VERSION_1_1_0,
      bench.codec.encode(stream.slice(0, -1)),
      bench.mac.of,
    ),
  );
  const { index, states } = await bench.open();
  assertEquals(states.damaged.map(({ id }) => id), [macToHex(id(1))]);
  assertEquals([index.has(CHUNK, BLOB), states.latest], [false, undefined]);
});

Deno.test("States.merge() throws what the store fails with", async () => {
  const bench = new StateBench();
  bench.add(id(1), packfileWithBlob);
  bench.store.setPlan(({ kind, method }) =>
    kind === "state" && method === "readAll" ? { type: "fail" } : undefined
  );
  await assertRejects(() => bench.open(), StoreError, "Injected");
});
