/**
 * A store that fails at each operation in turn, during a backup: nothing is lost, nothing appears.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  createRepository,
  FileSystemStore,
  KlosetError,
  type Store,
  StoreError,
} from "../../src/kloset/mod.ts";
import {
  assertSnapshot,
  backUp,
  createWith,
  noise,
  openSmall,
  prose,
  smallConfiguration,
  SNAPSHOT,
  snapshotIds,
  streamOf,
} from "./backups.ts";
import { failFrom, failNth, type FaultPlan, FaultyStore } from "./faulty_store.ts";
import { MemoryStore } from "./memory_store.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";

const EARLIER = { "/a": noise(4000, 1), "/b": prose(3000, 2) };

/** Small packfiles, so that some are finished while a file streams. */
const SMALL_PACKFILES = { packfile: { minSize: 0n, averageSize: 0n, maxSize: 6000n } };

/** Three files; the first one is known. */
function filesOf(seed: number) {
  return {
    "/a": EARLIER["/a"],
    "/dir/c": noise(9000, seed),
    "/dir/d": prose(3000, seed),
  };
}

/** Opens, backs up, and gives up after a failure; what a program does. */
async function attempt(store: Store, seed: number, warnings: string[] = []): Promise<string> {
  await using repository = await openSmall(store, {
    onWarning: (message) => warnings.push(message),
  });
  const writer = await repository.createSnapshot(SNAPSHOT);
  try {
    writer.addDirectory("/dir", { mode: 0o700 });
    for (const [path, bytes] of Object.entries(filesOf(seed))) {
      await writer.addFile(path, streamOf(bytes));
    }
    await writer.commit();
  } finally {
    await writer.abort();
  }
  return writer.id;
}

interface Place extends AsyncDisposable {
  readonly store: Store;
  /** What is there besides CONFIG, packfiles and states. */
  rest(): Promise<string[]>;
}

const PLACES: Record<string, () => Promise<Place>> = {
  memory: () => {
    const store = new MemoryStore();
    return Promise.resolve({
      store,
      rest: () =>
        Promise.resolve([
          ...[...store.objects.lock.keys()].map((id) => `locks/${id}`),
          ...Array.from({ length: store.openWriters }, () => "tmp."),
        ]),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
  directory: async () => {
    const directory = await TemporaryDirectory.make();
    return {
      store: new FileSystemStore(directory.at("repository")),
      rest: async () =>
        (await directory.files("repository")).filter((path) =>
          !/^(CONFIG|(packfiles|states)\/[0-9a-f]{2}\/[0-9a-f]{64})$/.test(path)
        ),
      [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    };
  },
};

for (const [name, make] of Object.entries(PLACES)) {
  const plans: [string, (n: number) => FaultPlan][] = [
    ["fails once", failNth],
    ["fails from then on", failFrom],
  ];
  for (const [how, plan] of plans) {
    Deno.test(`a backup into a ${name} that ${how} leaves what was there`, async () => {
      await using place = await make();
      const { store } = place;
      await createWith(store, smallConfiguration(SMALL_PACKFILES));
      // Stays open: its threads check after each failure.
      await using repository = await openSmall(store);
      const earlier = await backUp(repository, EARLIER);
      const counting = new FaultyStore(store);
      const ids = [earlier, await attempt(counting, 1)];
      const total = counting.operations.length;
      const methods = new Set(counting.operations.map(({ method }) => method));
      assert(total > 30, `only ${total} operations`);
      // The second half of a run "from then on" is much the same for each n.
      const step = how === "fails once" ? 1 : 5;

      let reached = 0;
      for (let n = 1; n <= total + step; n += step) {
        const faulty = new FaultyStore(store, plan(n));
        const warnings: string[] = [];
        const failure = await failureOf(async () => {
          ids.push(await attempt(faulty, 1000 + n, warnings));
        });
        const where = `operation ${n}: ${faulty.operations[n - 1]?.method}`;
        if (faulty.injected > 0) reached++;
        const failed = faulty.operations[n - 1];
        const isHarmless = failed === undefined || failed.method === "removeAbandoned" ||
          (failed.method === "delete" && failed.kind === "lock");
        if (isHarmless && how === "fails once") {
          assertEquals(failure, undefined, where);
          assertEquals(warnings.length, failed === undefined ? 0 : 1, where);
        } else if (!isHarmless) {
          assert(failure instanceof StoreError, `${where}: ${failure}`);
        }
        // Only a lock that could not be deleted is left, and it does not hinder anybody.
        const rest = await place.rest();
        const deletesFailed = faulty.operations.some(({ number, method }) =>
          method === "delete" && (how === "fails once" ? number === n : number >= n)
        );
        if (!deletesFailed) assertEquals(rest, [], where);
        for (const path of rest) assert(path.startsWith("locks/"), `${where}: ${path}`);
        for (const id of await store.list("lock")) await store.delete("lock", id);

        await using reopened = await openSmall(store);
        assertEquals(await snapshotIds(reopened), ids.toSorted(), where);
        assertEquals(await (await repository.openSnapshot(earlier)).check(), [], where);
      }
      // Padding is random, and with it the number of writes.
      assert(reached >= Math.floor(total / step) - 2, `${reached} of ${total} have failed`);
      assert(methods.has("writer.close") && methods.has("put"), [...methods].join());
      await using last = await openSmall(store);
      for (const id of ids) assertEquals(await (await last.openSnapshot(id)).check(), []);
      await assertSnapshot(last, earlier, EARLIER);
    });
  }

  Deno.test(`creating a repository in a ${name} that fails can be repeated`, async () => {
    for (let n = 1;; n++) {
      await using place = await make();
      const faulty = new FaultyStore(place.store, failNth(n));
      const failure = await failureOf(() => createAndClose(faulty));
      assertEquals(
        failure instanceof StoreError,
        faulty.injected > 0,
        `operation ${n}: ${failure}`,
      );
      if (faulty.injected === 0) {
        assert(n > 4, `${n} operations`);
        return;
      }
      // Nothing, or a whole repository: never something between.
      if (await place.store.presence() === "absent") await createAndClose(place.store);
      await using repository = await openSmall(place.store);
      await assertSnapshot(repository, await backUp(repository, EARLIER), EARLIER);
    }
  });
}

async function createAndClose(store: Store): Promise<void> {
  await using _ = await createRepository(store, { jobs: 1 });
}

async function failureOf(action: () => Promise<unknown>): Promise<unknown> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return error;
  }
}

Deno.test("a backup goes on after a failed one, on the same open repository", async () => {
  const memory = new MemoryStore();
  await createWith(memory, smallConfiguration(SMALL_PACKFILES));
  const faulty = new FaultyStore(memory);
  await using repository = await openSmall(faulty);
  const before = faulty.operations.length;
  await backUp(repository, filesOf(1));
  const total = faulty.operations.length - before;
  for (let n = 1; n <= total; n += 3) {
    const start = faulty.operations.length;
    faulty.setPlan(({ number, method }) =>
      number - start === n && method !== "removeAbandoned" && method !== "delete"
        ? { type: "fail" }
        : undefined
    );
    const failure = await failureOf(() => backUp(repository, filesOf(100 + n)));
    assertEquals(failure instanceof StoreError, faulty.injected > 0, `operation ${n}: ${failure}`);
    faulty.setPlan();
    const files = filesOf(200 + n);
    await assertSnapshot(repository, await backUp(repository, files), files);
  }
});

Deno.test("reading from a store that fails throws what the store throws", async () => {
  const memory = new MemoryStore();
  await createWith(memory, smallConfiguration(SMALL_PACKFILES));
  const files = filesOf(1);
  const faulty = new FaultyStore(memory);
  await using repository = await openSmall(faulty);
  const id = await backUp(repository, files);
  const actions: [string, () => Promise<unknown>][] = [
    ["check", async () => await (await repository.openSnapshot(id)).check()],
    ["fast check", async () => await (await repository.openSnapshot(id)).check({ fast: true })],
    ["copy", async () => {
      await (await repository.openSnapshot(id)).copy("/dir/c", () => Promise.resolve());
    }],
    ["read", async () => {
      await new Response((await repository.openSnapshot(id)).read("/dir/c")).arrayBuffer();
    }],
    ["entries", async () => {
      const entries = (await repository.openSnapshot(id)).entries();
      while (!(await entries.next()).done);
    }],
    ["list", () => repository.snapshots()],
    ["open", async () => await (await openSmall(faulty)).close()],
  ];
  for (const [name, action] of actions) {
    faulty.setPlan();
    const start = faulty.operations.length;
    await action();
    const total = faulty.operations.length - start;
    assert(total > 0, name);
    for (let n = 1; n <= total; n++) {
      for (const lasting of [false, true]) {
        const first = faulty.operations.length + n;
        faulty.setPlan(lasting ? failFrom(first) : failNth(first));
        const error = await assertRejects(action, StoreError, "Injected");
        assert(error instanceof KlosetError, `${name}, operation ${n}`);
      }
    }
  }
  faulty.setPlan();
  await assertSnapshot(repository, id, files);
});
