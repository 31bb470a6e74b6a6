import { assertEquals } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import {
  encodeEnvelope,
  NIL_MAC,
  openEnvelope,
  ResourceType,
  StateEncoder,
  VERSION_1_0_0,
  VERSION_1_1_0,
} from "../../../../src/kloset/format/mod.ts";
import type { SnapshotReader } from "../../../../src/kloset/mod.ts";
import {
  assertSnapshot,
  backUp,
  createEncryptedWith,
  createWith,
  hash,
  noise,
  openSmall,
  PASSPHRASE,
  smallConfiguration,
  snapshotIds,
} from "../../../faults/backups.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";

const FILES = { "/a": noise(5000, 1), "/b": noise(3000, 2) };

/** An empty state, as a client of that version leaves it. */
async function addState(store: MemoryStore, version: number): Promise<void> {
  const kernels = await Kernels.load();
  const { repositoryId } = smallConfiguration();
  const key = kernels.blake3(repositoryId);
  const stream = new StateEncoder(version, NIL_MAC).finish(1_000_000_000n, repositoryId);
  const bytes = encodeEnvelope(
    ResourceType.STATE,
    version,
    kernels.compress(stream),
    (part) => kernels.blake3(part, key),
  );
  await store.put(
    "state",
    Array.from(hash(bytes), (b) => b.toString(16).padStart(2, "0")).join(""),
    bytes,
  );
}

async function stateVersions(store: MemoryStore): Promise<number[]> {
  const kernels = await Kernels.load();
  const key = kernels.blake3(smallConfiguration().repositoryId);
  return [...store.objects.state.values()].map((bytes) =>
    openEnvelope(bytes, ResourceType.STATE, VERSION_1_1_0, (part) => kernels.blake3(part, key))
      .version
  ).sort();
}

Deno.test("SnapshotWriter writes what all of a repository's clients can read", async (t) => {
  const legacy = { ...smallConfiguration().chunking, algorithm: "FASTCDC" };
  const cases: [name: string, states: number[], algorithm: "new" | "legacy", written: number][] = [
    ["a new repository", [], "new", VERSION_1_1_0],
    ["a repository that a 1.0 client has made", [], "legacy", VERSION_1_0_0],
    ["states of 1.0 only", [VERSION_1_0_0], "new", VERSION_1_0_0],
    ["states of 1.0 only, made by a 1.0 client", [VERSION_1_0_0], "legacy", VERSION_1_0_0],
    ["states of both", [VERSION_1_0_0, VERSION_1_1_0], "new", VERSION_1_1_0],
    ["states of 1.1", [VERSION_1_1_0], "legacy", VERSION_1_1_0],
  ];
  for (const [name, states, algorithm, written] of cases) {
    await t.step(name, async () => {
      const store = new MemoryStore();
      await createWith(
        store,
        smallConfiguration(algorithm === "legacy" ? { chunking: legacy } : {}),
      );
      for (const version of states) await addState(store, version);
      const ids: string[] = [];
      for (let i = 0; i < 2; i++) {
        await using repository = await openSmall(store);
        ids.push(await backUp(repository, FILES));
        await assertSnapshot(repository, ids[i]!, FILES);
      }
      assertEquals(await stateVersions(store), [...states, written, written].sort());
      await using reopened = await openSmall(store);
      assertEquals(await snapshotIds(reopened), ids.toSorted());
      const reader: SnapshotReader = await reopened.openSnapshot(ids[1]!);
      assertEquals(await reader.check(), []);
    });
  }
});

Deno.test("an encrypted repository of 1.0 settings is written in its flavour", async () => {
  const chunking = { ...smallConfiguration().chunking, algorithm: "FASTCDC" };
  const store = new MemoryStore();
  await createEncryptedWith(store, smallConfiguration({ chunking }));
  await using repository = await openSmall(store, PASSPHRASE);
  const id = await backUp(repository, FILES);
  for (const state of store.objects.state.values()) {
    assertEquals(new DataView(state.buffer, state.byteOffset).getUint32(12, true), 0x00010000);
  }
  await assertSnapshot(repository, id, FILES);
});
