import { assert, assertEquals, assertRejects } from "@std/assert";
import { LockedError, StoreError } from "../../../../src/kloset/mod.ts";
import {
  type Mac,
  macFromHex,
  macToHex,
  NIL_MAC,
  type PackfileRecord,
  ResourceType,
  VERSION_1_0_0,
  VERSION_1_1_0,
  visitState,
} from "../../../../src/kloset/format/mod.ts";
import { type Catalog, SharedLock, StateCommit } from "../../../../src/kloset/state/mod.ts";
import { id, StateBench } from "../_state_bench.ts";

const { CHUNK, RANDOM } = ResourceType;
const SIGNAL = new AbortController().signal;
const START_MS = 1_700_000_000_000;

function record(mac: Mac, type: number = CHUNK): PackfileRecord {
  return { type, version: VERSION_1_0_0, mac, offset: 3, length: 5, flags: 0 };
}

/** A writer that holds its lock, with a clock that the test sets. */
class Writer {
  readonly bench = new StateBench();
  readonly catalog: Catalog;
  readonly lock: SharedLock;

  private constructor(bench: StateBench, catalog: Catalog, lock: SharedLock) {
    this.bench = bench;
    this.catalog = catalog;
    this.lock = lock;
  }

  static async start(clock: { now: number } = { now: START_MS }, bench = new StateBench()) {
    const { store, codec, mac } = bench;
    const catalog = await bench.open();
    const lock = await SharedLock.acquire(id(0xee), {
      store,
      codec,
      mac,
      hostname: "here",
      onWarning: () => {},
      now: () => clock.now,
    });
    return new Writer(bench, catalog, lock);
  }

  begin(stateId: Mac): StateCommit {
    return new StateCommit(stateId, 7n, { ...this.bench, catalog: this.catalog });
  }

  async [Symbol.asyncDispose]() {
    await this.lock.release();
  }
}

Deno.test("StateCommit puts what the state says, and this process knows it at once", async () => {
  await using writer = await Writer.start();
  const { bench, catalog } = writer;
  const state = writer.begin(id(1));
  state.addPackfile({ id: id(0xac), records: [record(id(0xb1)), record(id(0xb2), RANDOM)] });
  assertEquals(catalog.index.has(CHUNK, id(0xb1)), false);
  const { bytes } = await state.put(writer.lock, SIGNAL);
  assertEquals(bench.memory.objects.state.get(macToHex(id(1)))!.length, bytes);

  const { version, stream } = bench.read(id(1));
  const said: unknown[] = [];
  const metadata = visitState(stream, version, {
    location: (type, macAt, packfileAt, offset, length) =>
      said.push([type, stream[macAt], stream[packfileAt], offset, length]),
    packfile: (packfile, stateId, timestampNs) => said.push([packfile, stateId, timestampNs]),
  });
  // Padding has no entry.
  assertEquals(said, [[CHUNK, 0xb1, 0xac, 3, 5], [id(0xac), id(1), 7n]]);
  assertEquals(metadata, {
    parent: NIL_MAC,
    version: VERSION_1_1_0,
    timestampNs: 7n,
    serial: bench.configuration.repositoryId,
  });
  assertEquals(catalog.index.has(CHUNK, id(0xb1)), true);
  assertEquals((await bench.open()).index.has(CHUNK, id(0xb1)), true);
});

Deno.test("StateCommit follows the state that was merged last, in the version of the repository", async () => {
  const bench = new StateBench();
  bench.add(id(1), () => {}, { version: VERSION_1_0_0, timestampNs: 3n });
  await using old = await Writer.start({ now: START_MS }, bench);
  await old.begin(id(2)).put(old.lock, SIGNAL);
  assertEquals(bench.read(id(2)).version, VERSION_1_0_0);

  bench.add(id(3), () => {}, { timestampNs: 9n });
  await old.catalog.refresh();
  // Several under one lock: each follows the one before.
  for (const stateId of [id(4), id(5)]) await old.begin(stateId).put(old.lock, SIGNAL);
  const parents = [id(4), id(5)].map((stateId) => {
    const { version, stream } = bench.read(stateId);
    return [version, visitState(stream, version, {}).parent];
  });
  assertEquals(parents, [[VERSION_1_1_0, id(3)], [VERSION_1_1_0, id(4)]]);
  assertEquals(macFromHex(old.catalog.states.latest!.id), id(5));
});

Deno.test("StateCommit.put() puts nothing with a lost lock, after an abort, or where the store fails", async () => {
  const refused = async (
    type: new (...args: never[]) => Error,
    prepare: (writer: Writer, clock: { now: number }) => void,
    signal = SIGNAL,
  ) => {
    const clock = { now: START_MS };
    await using writer = await Writer.start(clock);
    const { bench, catalog } = writer;
    const state = writer.begin(id(1));
    state.addPackfile({ id: id(0xac), records: [record(id(0xb1))] });
    prepare(writer, clock);
    await assertRejects(() => state.put(writer.lock, signal), type);
    assertEquals(bench.memory.objects.state.size, 0);
    assert(!catalog.index.has(CHUNK, id(0xb1)));
    assertEquals(catalog.states.latest, undefined);
  };
  await refused(LockedError, (_, clock) => {
    clock.now += 600_000;
  });
  await refused(LockedError, ({ bench }) => bench.memory.objects.lock.clear());
  await refused(RangeError, () => {}, AbortSignal.abort(new RangeError("enough")));
  await refused(
    StoreError,
    ({ bench }) =>
      bench.store.setPlan(({ kind, method }) =>
        kind === "state" && method === "put" ? { type: "fail" } : undefined
      ),
  );
});

Deno.test("StateCommit.put() puts nothing where a packfile that it relies on is given up meanwhile", async () => {
  for (const how of ["coloured", "deleted"]) {
    const bench = new StateBench();
    bench.add(id(1), (encoder) => {
      for (const packfile of [0xac, 0xad]) {
        encoder.addLocation({ ...record(id(0xb1)), packfile: id(packfile) });
        encoder.addPackfile(id(packfile), id(1), 1n);
      }
    }, { timestampNs: 1n });
    await using writer = await Writer.start({ now: START_MS }, bench);
    const relying = writer.begin(id(2));
    const other = writer.begin(id(3));
    bench.add(id(4), (encoder) => {
      if (how === "deleted") encoder.deletePackfile(id(0xac));
      else encoder.addColoured(ResourceType.PACKFILE, id(0xac), 2n);
    }, { timestampNs: 2n, parent: id(1) });
    const put = () => relying.put(writer.lock, SIGNAL, [id(0xad), id(0xac)]);
    await assertRejects(put, LockedError, macToHex(id(0xac)));
    assertEquals(bench.memory.objects.state.has(macToHex(id(2))), false);
    await other.put(writer.lock, SIGNAL, [id(0xad)]);
  }
});

Deno.test("StateCommit.put() does not call a state good that was put when the lock was lost", async () => {
  const clock = { now: START_MS };
  await using writer = await Writer.start(clock);
  const { bench } = writer;
  const state = writer.begin(id(1));
  bench.store.setPlan(({ kind, method }) => {
    if (kind === "state" && method === "put") clock.now += 600_000;
    return undefined;
  });
  await assertRejects(() => state.put(writer.lock, SIGNAL), LockedError, "check the repository");
});
