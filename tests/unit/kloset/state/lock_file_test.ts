import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import {
  encodeEnvelope,
  encodeLock,
  type Lock,
  ResourceType,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import { CorruptionError, LockedError } from "../../../../src/kloset/mod.ts";
import {
  findLocks,
  LOCK_STALE_MS,
  waitForExclusiveLocks,
} from "../../../../src/kloset/state/lock_file.ts";
import { Codec, MacFunction } from "../../../../src/kloset/unit/mod.ts";
import { smallConfiguration } from "../../../faults/backups.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";

const NOW = 1_700_000_000_000;
const kernels = await Kernels.load();
const { repositoryId } = smallConfiguration();
const mac = new MacFunction(kernels, { algorithm: "BLAKE3", key: kernels.blake3(repositoryId) });
const codec = new Codec(kernels, { compression: "LZ4", encryption: undefined });

/** A store with locks; the clock is the test's. */
class Bench {
  readonly store = new MemoryStore();
  nowMs = NOW;
  readonly codec = codec;
  readonly mac = mac;
  readonly now = () => this.nowMs;

  async put(byte: string, ageMs: number, more: Partial<Lock> = {}): Promise<void> {
    const payload = codec.encode(encodeLock({
      version: VERSION_1_0_0,
      timestampNs: BigInt(NOW - ageMs) * 1_000_000n,
      hostname: "there",
      exclusive: false,
      ...more,
    }));
    const file = encodeEnvelope(ResourceType.LOCK, VERSION_1_0_0, payload, mac.of);
    await this.store.put("lock", byte.repeat(32), file);
  }
}

Deno.test("findLocks() tells whose they are, and which were left behind", async () => {
  const bench = new Bench();
  assertEquals(await findLocks(bench), []);
  await bench.put("22", 5_000, { exclusive: true });
  await bench.put("11", LOCK_STALE_MS, { hostname: "" });
  await bench.store.put("lock", "33".repeat(32), new Uint8Array(9));
  const shown = (await findLocks(bench)).map((lock) => [
    lock.id.slice(0, 2),
    lock.hostname,
    lock.renewedAt?.getTime(),
    lock.exclusive,
    lock.isStale,
  ]);
  assertEquals(shown, [
    ["11", "", NOW - LOCK_STALE_MS, false, true],
    ["22", "there", NOW - 5_000, true, false],
    ["33", "", undefined, undefined, false],
  ]);
});

Deno.test("waitForExclusiveLocks() passes shared and stale locks, and refuses others at once", async () => {
  const bench = new Bench();
  const told: string[] = [];
  const patience = { patienceMs: 0, onWait: (message: string) => told.push(message) };
  await bench.put("11", 0);
  await bench.put("22", LOCK_STALE_MS, { exclusive: true });
  await waitForExclusiveLocks(bench, patience);
  await bench.put("33", 1_000, { exclusive: true });
  await assertRejects(
    () => waitForExclusiveLocks(bench, patience),
    LockedError,
    "there holds an exclusive lock (maintenance) since 2023-11-14T22:13:19.000Z",
  );
  await bench.put("33", -600_000, { exclusive: true });
  const ahead = await assertRejects(() => waitForExclusiveLocks(bench, patience), LockedError);
  assertStringIncludes(ahead.message, "10 min in the future");
  await bench.store.put("lock", "33".repeat(32), new Uint8Array(9));
  await assertRejects(() => waitForExclusiveLocks(bench, patience), CorruptionError, "repo unlock");
  assertEquals(told, []);
});

Deno.test("waitForExclusiveLocks() waits, says for whom, and ends when it may, or has to", async (t) => {
  const bench = new Bench();
  const told: string[] = [];
  const wait = (signal?: AbortSignal) =>
    waitForExclusiveLocks(bench, {
      patienceMs: 60_000,
      signal,
      onWait: (message) => told.push(message),
    });
  await t.step("interrupted", async () => {
    await bench.put("11", 0, { exclusive: true });
    const ending = new AbortController();
    const waiting = wait(ending.signal);
    queueMicrotask(() => setTimeout(() => ending.abort(new Error("ended")), 10));
    await assertRejects(() => waiting, Error, "ended");
    assertEquals(told.length, 1);
    assert(/there holds .*\. Waiting until it goes$/.test(told[0] ?? ""), told[0]);
  });
  await t.step("gone", async () => {
    told.length = 0;
    await waitForExclusiveLocks(bench, {
      patienceMs: 20,
      onWait: (message) => {
        told.push(message);
        bench.store.objects.lock.delete("11".repeat(32));
      },
    });
    assertEquals(told.length, 1);
  });
  await t.step("not in time", async () => {
    await bench.put("11", 0, { exclusive: true });
    told.length = 0;
    const late = () => {
      told.push("late");
      bench.nowMs += 1_000;
    };
    await assertRejects(
      () => waitForExclusiveLocks(bench, { patienceMs: 20, onWait: late }),
      LockedError,
    );
    assertEquals(told.length, 1);
  });
});
