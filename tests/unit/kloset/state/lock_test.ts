import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import { Codec } from "../../../../src/kloset/unit/codec.ts";
import { CorruptionError, LockedError, StoreError } from "../../../../src/kloset/mod.ts";
import {
  decodeLock,
  encodeEnvelope,
  encodeLock,
  type Lock,
  macFromHex,
  openEnvelope,
  ResourceType,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import {
  LOCK_REFRESH_MS,
  LOCK_WATCH_MS,
  type LockOptions,
  SharedLock,
} from "../../../../src/kloset/state/lock.ts";
import { LOCK_STALE_MS } from "../../../../src/kloset/state/lock_file.ts";
import { MacFunction } from "../../../../src/kloset/unit/mac.ts";
import {
  backUp,
  createWith,
  noise,
  openSmall,
  smallConfiguration,
  SNAPSHOT,
  snapshotIds,
  streamOf,
} from "../../../faults/backups.ts";
import { type FaultPlan, FaultyStore } from "../../../faults/faulty_store.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";

const SIGNAL = new AbortController().signal;
const START_MS = 1_700_000_000_000;
const NS_PER_MS = 1_000_000n;
const MINE = "11".repeat(32);
const THEIRS = "22".repeat(32);

const kernels = await Kernels.load();
const { repositoryId } = smallConfiguration();
const mac = new MacFunction(kernels, { algorithm: "BLAKE3", key: kernels.blake3(repositoryId) });
const codec = new Codec(kernels, { compression: "LZ4", encryption: undefined });

/** Locks in a store, with a clock that the test sets. */
class Bench {
  readonly memory = new MemoryStore();
  readonly store: FaultyStore;
  readonly warnings: string[] = [];
  now = START_MS;

  constructor(plan?: FaultPlan) {
    this.store = new FaultyStore(this.memory, plan);
  }

  get options(): LockOptions {
    return {
      store: this.store,
      codec,
      mac,
      hostname: "here",
      onWarning: (message) => this.warnings.push(message),
      now: () => this.now,
    };
  }

  acquire(): Promise<SharedLock> {
    return SharedLock.acquire(macFromHex(MINE), this.options);
  }

  /** Puts somebody else's lock there. */
  async lockAs(id: string, lock: Partial<Lock> & { ageMs?: number }): Promise<void> {
    await this.memory.put(
      "lock",
      id,
      lockFile({
        timestampNs: BigInt(this.now - (lock.ageMs ?? 0)) * NS_PER_MS,
        ...lock,
      }),
    );
  }

  get names(): string[] {
    return [...this.memory.objects.lock.keys()].sort();
  }

  /** What is stored of a lock. */
  lock(id: string): Lock {
    const bytes = this.memory.objects.lock.get(id)!;
    return decodeLock(
      codec.decode(openEnvelope(bytes, ResourceType.LOCK, VERSION_1_0_0, mac.of).payload),
    );
  }
}

function lockFile(lock: Partial<Lock>): Uint8Array {
  const full: Lock = {
    version: VERSION_1_0_0,
    timestampNs: BigInt(START_MS) * NS_PER_MS,
    hostname: "there",
    exclusive: false,
    ...lock,
  };
  const payload = codec.encode(encodeLock(full));
  return encodeEnvelope(ResourceType.LOCK, VERSION_1_0_0, payload, mac.of);
}

/** Runs with timers that ring when they are told to, and tells what is still set at the end. */
async function withTimers(
  run: (ring: () => void) => Promise<void>,
): Promise<{ set: number; intervals: number[] }> {
  const timers = new Map<number, () => void>();
  const intervals: number[] = [];
  const { setInterval, clearInterval } = globalThis;
  Object.assign(globalThis, {
    setInterval: (callback: () => void, intervalMs: number) => {
      intervals.push(intervalMs);
      // Numbers that no real timer has: the lock does not keep the process alive for it.
      const id = 1e9 + intervals.length;
      timers.set(id, callback);
      return id;
    },
    clearInterval: (id: number) => timers.delete(id),
  });
  try {
    await run(() => {
      for (const callback of timers.values()) callback();
    });
  } finally {
    Object.assign(globalThis, { setInterval, clearInterval });
  }
  return { set: timers.size, intervals };
}

Deno.test("SharedLock stands beside other shared locks", async () => {
  const bench = new Bench();
  await bench.lockAs(THEIRS, { ageMs: LOCK_STALE_MS - 1 });
  const lock = await bench.acquire();
  assertEquals(lock.isAlone, false);
  assertEquals(bench.names, [MINE, THEIRS]);
  assertEquals(bench.lock(MINE), {
    version: VERSION_1_0_0,
    timestampNs: BigInt(START_MS) * NS_PER_MS,
    hostname: "here",
    exclusive: false,
  });
  await lock.release();
  assertEquals(bench.names, [THEIRS]);
  await lock.release();
  assertEquals(bench.warnings, []);
});

Deno.test("SharedLock gives way to an exclusive lock, and says whose it is", async () => {
  const bench = new Bench();
  await bench.lockAs(THEIRS, { exclusive: true, ageMs: LOCK_STALE_MS - 1 });
  const error = await assertRejects(() => bench.acquire(), LockedError, "there");
  assert(error.message.includes(new Date(START_MS - LOCK_STALE_MS + 1).toISOString()));
  assertEquals(bench.names, [THEIRS]);
});

Deno.test("SharedLock gives way to an exclusive lock of the future: clocks differ", async () => {
  const bench = new Bench();
  await bench.lockAs(THEIRS, { exclusive: true, ageMs: -60_000 });
  const { message } = await assertRejects(() => bench.acquire(), LockedError);
  assert(message.includes("1 min in the future: compare the clocks"), message);
});

Deno.test("SharedLock removes stale locks, exclusive ones too", async () => {
  const bench = new Bench();
  await bench.lockAs(THEIRS, { exclusive: true, ageMs: LOCK_STALE_MS });
  await bench.lockAs("33".repeat(32), { ageMs: 10 * LOCK_STALE_MS });
  const lock = await bench.acquire();
  assertEquals(lock.isAlone, true);
  assertEquals(bench.names, [MINE]);
  await lock.release();
});

Deno.test("SharedLock writes its own lock before it looks at the others", async () => {
  const bench = new Bench();
  const lock = await bench.acquire();
  assertEquals(bench.store.operations.map(({ method }) => method), ["put", "list"]);
  await lock.release();
});

Deno.test("SharedLock passes over a lock that vanishes while it looks", async () => {
  const bench = new Bench(({ id }) => id === THEIRS ? { type: "vanish" } : undefined);
  await bench.lockAs(THEIRS, { exclusive: true });
  const lock = await bench.acquire();
  assertEquals(bench.store.injected, 1);
  await lock.release();
});

Deno.test("SharedLock does not go past a lock that it cannot understand", async (t) => {
  const sound = lockFile({});
  const cases: [string, Uint8Array][] = [
    ["empty", new Uint8Array()],
    ["cut", sound.subarray(0, sound.length - 1)],
    ["flipped", sound.with(20, sound[20]! ^ 1)],
    [
      "of a newer version",
      encodeEnvelope(
        ResourceType.LOCK,
        0x00020000,
        codec.encode(encodeLock({ ...decodeSound(), version: 0x00020000 })),
        mac.of,
      ),
    ],
    [
      "of another kind",
      encodeEnvelope(ResourceType.STATE, VERSION_1_0_0, new Uint8Array(), mac.of),
    ],
    [
      "malformed",
      encodeEnvelope(
        ResourceType.LOCK,
        VERSION_1_0_0,
        codec.encode(new Uint8Array([0xc1])),
        mac.of,
      ),
    ],
  ];
  for (const [name, bytes] of cases) {
    await t.step(name, async () => {
      const bench = new Bench();
      await bench.memory.put("lock", THEIRS, bytes);
      const error = await assertRejects(() => bench.acquire(), CorruptionError, THEIRS);
      assert(error.message.includes("remove it"));
      assertEquals(bench.names, [THEIRS]);
    });
  }
});

function decodeSound(): Lock {
  return { version: VERSION_1_0_0, timestampNs: 0n, hostname: "", exclusive: false };
}

Deno.test("SharedLock reads a lock again before it calls it damaged", async () => {
  let reads = 0;
  const bench = new Bench(({ id, method }) =>
    id === THEIRS && method === "readAll" && ++reads === 1 ? { type: "flip", bit: 200 } : undefined
  );
  await bench.lockAs(THEIRS, {});
  const lock = await bench.acquire();
  assertEquals([reads, bench.store.injected], [2, 1]);
  await lock.release();
});

Deno.test("SharedLock leaves nothing where the store fails", async (t) => {
  for (const method of ["put", "list", "readAll"]) {
    await t.step(method, async () => {
      const bench = new Bench((operation) =>
        operation.method === method && operation.id !== MINE || operation.method === method &&
            method === "put"
          ? { type: "fail" }
          : undefined
      );
      await bench.lockAs(THEIRS, { ageMs: LOCK_STALE_MS });
      await assertRejects(() => bench.acquire(), StoreError);
      assertEquals(bench.names, [THEIRS]);
    });
  }
});

Deno.test("SharedLock passes over a stale lock that cannot be deleted", async () => {
  const bench = new Bench(({ method, id }) =>
    method === "delete" && id === THEIRS ? { type: "fail" } : undefined
  );
  await bench.lockAs(THEIRS, { ageMs: LOCK_STALE_MS, exclusive: true });
  const lock = await bench.acquire();
  assertEquals(lock.isAlone, true);
  assertEquals(bench.warnings.length, 1);
  assert(bench.warnings[0]!.startsWith(`Cannot remove stale lock ${THEIRS}`), bench.warnings[0]);
  await lock.release();
  assertEquals(bench.names, [THEIRS]);
});

/** Time for a renewal that a timer has begun. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("SharedLock is refreshed as long as it is held", async () => {
  const bench = new Bench();
  const timers = await withTimers(async (ring) => {
    const lock = await bench.acquire();
    for (let i = 0; i < 5; i++) {
      bench.now += LOCK_REFRESH_MS - 1;
      ring();
      await settle();
      assert(bench.lock(MINE).timestampNs < BigInt(bench.now) * NS_PER_MS, "not yet");
      bench.now += 1;
      ring();
      await settle();
    }
    // Twenty-five minutes old, but renewed now.
    lock.assertFresh();
    assertEquals(bench.lock(MINE).timestampNs, BigInt(bench.now) * NS_PER_MS);
    bench.now += LOCK_REFRESH_MS;
    ring();
    // A refresh under way does not bring the lock back.
    await lock.release();
    assertEquals(bench.names, []);
  });
  assertEquals(timers, { set: 0, intervals: [LOCK_WATCH_MS] });
  assertEquals(bench.warnings, []);
});

Deno.test("SharedLock tries a refresh that fails again, and warns once", async () => {
  let isBroken = false;
  const bench = new Bench(({ method }) =>
    isBroken && method === "put" ? { type: "fail" } : undefined
  );
  await withTimers(async (ring) => {
    const lock = await bench.acquire();
    isBroken = true;
    bench.now += LOCK_REFRESH_MS;
    for (let i = 0; i < 3; i++) {
      ring();
      await settle();
    }
    assertEquals(bench.warnings.length, 1);
    assert(bench.warnings[0]!.includes(MINE));
    isBroken = false;
    bench.now += LOCK_STALE_MS - LOCK_REFRESH_MS - 1;
    ring();
    await settle();
    bench.now += LOCK_REFRESH_MS;
    lock.assertFresh();
    assertFalse(lock.signal.aborted);
    await lock.release();
  });
});

Deno.test("SharedLock is lost for good when it was not refreshed in time, and says so at once", async () => {
  const bench = new Bench();
  await withTimers(async (ring) => {
    const lock = await bench.acquire();
    // The host sleeps: its timers rang for none of this hour.
    bench.now += 3_600_000;
    ring();
    assert(lock.signal.aborted);
    assertThrows(() => lock.signal.throwIfAborted(), LockedError, "3600 s");
    ring();
    await settle();
    await assertRejects(() => lock.confirm(SIGNAL), LockedError, "3600 s");
    assertEquals(bench.lock(MINE).timestampNs, BigInt(START_MS) * NS_PER_MS, "never renewed");
    await lock.release();
    assertEquals(bench.names, []);
  });
});

Deno.test("SharedLock does not come back when somebody has removed it", async () => {
  for (const how of ["timer", "confirm"]) {
    const bench = new Bench();
    await withTimers(async (ring) => {
      const lock = await bench.acquire();
      await bench.memory.delete("lock", MINE);
      bench.now += LOCK_REFRESH_MS;
      if (how === "timer") ring();
      else await assertRejects(() => lock.confirm(SIGNAL), LockedError, "removed");
      await settle();
      assertThrows(() => lock.assertFresh(), LockedError, "removed");
      assertEquals(bench.names, []);
      await lock.release();
    });
  }
});

Deno.test("SharedLock is lost when writing it took longer than it lives", async () => {
  const bench = new Bench(({ method, number }) => {
    if (method === "put" && number > 2) bench.now += LOCK_STALE_MS;
    return undefined;
  });
  const lock = await bench.acquire();
  await assertRejects(() => lock.confirm(SIGNAL), LockedError, "600 s");
  assert(lock.signal.aborted);
  await lock.release();
});

Deno.test("SharedLock.confirm() renews the lock, and waits for who takes an exclusive one back", async () => {
  const bench = new Bench();
  const lock = await bench.acquire();
  bench.now += 1000;
  await lock.confirm(SIGNAL);
  assertEquals(bench.lock(MINE).timestampNs, BigInt(bench.now) * NS_PER_MS);
  assertEquals(bench.warnings, []);
  await bench.lockAs(THEIRS, { exclusive: true });
  const confirmed = lock.confirm(SIGNAL);
  await settle();
  await bench.memory.delete("lock", THEIRS);
  await confirmed;
  assertEquals(bench.warnings.length, 1);
  assert(bench.warnings[0]!.includes("there holds an exclusive lock"), bench.warnings[0]);
  await lock.release();
});

Deno.test("SharedLock.confirm() gives way to an exclusive lock that stays, and ends with its signal", async () => {
  const bench = new Bench();
  await withTimers(async (ring) => {
    const lock = await bench.acquire();
    await bench.lockAs(THEIRS, { exclusive: true });
    const abort = new AbortController();
    const aborted = lock.confirm(abort.signal);
    abort.abort(new RangeError("enough"));
    await assertRejects(() => aborted, RangeError, "enough");
    const refused = assertRejects(() => lock.confirm(SIGNAL), LockedError, "there");
    for (let i = 0; i < 3; i++) {
      await settle();
      bench.now += LOCK_REFRESH_MS;
      await bench.lockAs(THEIRS, { exclusive: true });
      ring();
    }
    await refused;
    await lock.release();
  });
});

Deno.test("SharedLock.release() warns of a lock that cannot be removed", async () => {
  const bench = new Bench(({ method }) => method === "delete" ? { type: "fail" } : undefined);
  const lock = await bench.acquire();
  await lock.release();
  assertEquals(bench.warnings.length, 1);
  assertEquals(bench.names, [MINE]);
});

/** A repository whose clock the test sets. */
async function repositoryBench() {
  const bench = new Bench();
  await createWith(bench.memory, smallConfiguration());
  const repository = await openSmall(bench.memory, { now: () => bench.now });
  return { bench, repository };
}

Deno.test("Repository refuses to write under an exclusive lock, and still reads", async () => {
  const { bench, repository } = await repositoryBench();
  await using _ = repository;
  const id = await backUp(repository, { "/a": noise(3000, 1) });
  await bench.lockAs(THEIRS, { exclusive: true });
  const before = bench.memory.names();
  await assertRejects(() => repository.createSnapshot(SNAPSHOT), LockedError);
  assertEquals(bench.memory.names(), before);
  assertEquals(await (await repository.openSnapshot(id)).check(), []);
  await bench.memory.delete("lock", THEIRS);
  await backUp(repository, {});
});

Deno.test("SnapshotWriter gives its lock back after a commit and after an abort", async () => {
  const { bench, repository } = await repositoryBench();
  await using _ = repository;
  const timers = await withTimers(async () => {
    const committed = await repository.createSnapshot(SNAPSHOT);
    const aborted = await repository.createSnapshot(SNAPSHOT);
    assertEquals(bench.names, [committed.id, aborted.id].sort());
    await committed.commit();
    assertEquals(bench.names, [aborted.id]);
    await aborted.abort();
    assertEquals(bench.names, []);
  });
  assertEquals(timers.set, 0);
});

Deno.test("SnapshotWriter does not commit with a lock that has turned stale", async () => {
  const { bench, repository } = await repositoryBench();
  await using _ = repository;
  const writer = await repository.createSnapshot(SNAPSHOT);
  await writer.addFile("/a", streamOf(noise(3000, 1)));
  bench.now += LOCK_STALE_MS;
  await assertRejects(() => writer.commit(), LockedError);
  await writer.abort();
  assertEquals(await snapshotIds(repository), []);
  assertEquals([bench.names, bench.memory.objects.state.size], [[], 0]);
});

Deno.test("SnapshotWriter is aborted as soon as its lock is lost, in the middle of a stream", async () => {
  const { bench, repository } = await repositoryBench();
  await using _ = repository;
  await withTimers(async (ring) => {
    const writer = await repository.createSnapshot(SNAPSHOT);
    const endless = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
    const adding = writer.addFile("/a", endless);
    bench.now += LOCK_STALE_MS;
    ring();
    await assertRejects(() => adding, LockedError, "600 s");
    await writer.abort();
    assertEquals([bench.names, bench.memory.objects.state.size], [[], 0]);
  });
});

Deno.test("SnapshotWriter does not commit after a maintenance has run over its lost lock", async () => {
  const { bench, repository } = await repositoryBench();
  await using _ = repository;
  const data = noise(20_000, 1);
  await backUp(repository, { "/old": data });
  await withTimers(async (ring) => {
    const writer = await repository.createSnapshot(SNAPSHOT);
    await writer.addFile("/new", streamOf(data));
    const states = bench.memory.objects.state.size;
    // The host sleeps for an hour: the lock is removed as stale, and the packfiles are deleted.
    bench.now += 3_600_000;
    bench.memory.objects.lock.clear();
    bench.memory.objects.packfile.clear();
    // The timer that was due long ago rings, and what it begins gets its time.
    ring();
    await settle();
    await assertRejects(() => writer.commit(), LockedError);
    assertEquals(bench.memory.objects.state.size, states);
    await writer.abort();
  });
});

Deno.test("SnapshotWriter cleans up after killed writers only while it is the one writer", async () => {
  const { bench, repository } = await repositoryBench();
  await using _ = repository;
  let cleanedBefore: number[] = [];
  bench.memory.removeAbandoned = (beforeMs) => {
    cleanedBefore.push(beforeMs);
    return Promise.resolve();
  };
  const first = await repository.createSnapshot(SNAPSHOT);
  assertEquals(cleanedBefore, [START_MS - 24 * 60 * 60 * 1000]);
  cleanedBefore = [];
  const second = await repository.createSnapshot(SNAPSHOT);
  assertEquals(cleanedBefore, []);
  await first.abort();
  await second.abort();
});
