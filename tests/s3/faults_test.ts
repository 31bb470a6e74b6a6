/**
 * Every request of a backup and of a restore goes wrong in turn, between us and a real server:
 * nothing is lost, nothing false appears.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  createRepository,
  openRepository,
  type Repository,
  S3Store,
  StoreError,
} from "../../src/kloset/mod.ts";
import {
  assertSnapshot,
  backUp,
  contentOf,
  type Files,
  noise,
  prose,
  snapshotIds,
} from "../faults/backups.ts";
import { type Fault, faultAt, faultFrom, FaultProxy, FAULTS } from "./fault_proxy.ts";
import { startServer } from "./servers.ts";

const server = await startServer("minio");
const EARLIER: Files = { "/a": noise(4000, 1), "/b": prose(3000, 2) };

/** A packfile of two parts, and small ones. */
function filesOf(seed: number): Files {
  return { "/large": noise(6 * 1024 * 1024, seed), "/small": prose(3000, seed) };
}

/** Patient enough for a machine that is busy, except where every wait is for nothing. */
function storeAt(host: string, place: string, stallTimeoutMs = 30_000): S3Store {
  return new S3Store(server.at(place).replace(server.host, host), {
    env: () => undefined,
    retries: { attempts: 4, firstDelayMs: 1, maximumDelayMs: 4 },
    stallTimeoutMs,
  });
}

/** A stall is only over when the client thinks so; the server answers much sooner. */
const stallTimeoutOf = (fault: Fault) => fault === "stall" ? 2_000 : 30_000;

/** Each wait takes its time: a sample will do. */
const stepOf = (fault: Fault) => fault === "stall" ? 5 : 1;

async function open(store: S3Store): Promise<Repository> {
  return await openRepository(store, { jobs: 1 });
}

async function attempt(store: S3Store, files: Files): Promise<string> {
  await using repository = await open(store);
  return await backUp(repository, files);
}

async function failureOf(action: () => Promise<unknown>): Promise<unknown> {
  return await action().then(() => undefined, (error) => error);
}

for (const fault of FAULTS) {
  Deno.test(`a backup survives one request with the fault "${fault}"`, async () => {
    await using proxy = new FaultProxy(server.host);
    const place = `faults/once-${fault}`;
    const direct = storeAt(server.host, place);
    await (await createRepository(direct, { jobs: 1 })).close();
    const known = new Map([[await attempt(direct, EARLIER), EARLIER]]);
    const store = storeAt(proxy.host, place, stallTimeoutOf(fault));
    proxy.setPlan();
    known.set(await attempt(store, filesOf(1)), filesOf(1));
    const total = proxy.requests.length;
    assert(total > 12, proxy.requests.join("\n"));
    for (const wanted of ["PUT", "GET", "POST", "DELETE"]) {
      assert(proxy.requests.some((line) => line.startsWith(wanted)), wanted);
    }
    for (let n = 1; n <= total; n += stepOf(fault)) {
      proxy.setPlan(faultAt(n, fault));
      const files = filesOf(100 + n);
      known.set(await attempt(store, files), files);
      assertEquals(proxy.injected, 1, proxy.requests.join("\n"));
    }
    await using repository = await open(direct);
    assertEquals(await snapshotIds(repository), [...known.keys()].sort());
    for (const [id, files] of known) await assertSnapshot(repository, id, files);
    assertEquals(await direct.list("lock"), []);
  });

  Deno.test(`a restore survives one request with the fault "${fault}"`, async () => {
    await using proxy = new FaultProxy(server.host);
    const place = `faults/restore-${fault}`;
    const direct = storeAt(server.host, place);
    await (await createRepository(direct, { jobs: 1 })).close();
    const files = filesOf(1);
    const id = await attempt(direct, files);
    const store = storeAt(proxy.host, place, stallTimeoutOf(fault));
    const restore = async () => {
      await using repository = await open(store);
      for (const [path, bytes] of Object.entries(files)) {
        const content = await contentOf(repository, id, path);
        assert(content.length === bytes.length && content.every((b, i) => b === bytes[i]), path);
      }
    };
    proxy.setPlan();
    await restore();
    const total = proxy.requests.length;
    assert(total > 8, proxy.requests.join("\n"));
    for (let n = 1; n <= total; n += stepOf(fault)) {
      proxy.setPlan(faultAt(n, fault));
      await restore();
      assertEquals(proxy.injected, 1);
    }
  });
}

// Not "stall" and "lost-answer": those leave done what was asked, and are told apart below.
for (const fault of ["reset", "slow-down", "expired-token", "half-answer"] as const) {
  Deno.test(`a backup fails cleanly when "${fault}" does not end`, async () => {
    await using proxy = new FaultProxy(server.host);
    const place = `faults/lasting-${fault}`;
    const direct = storeAt(server.host, place);
    await (await createRepository(direct, { jobs: 1 })).close();
    const earlier = await attempt(direct, EARLIER);
    const store = storeAt(proxy.host, place);
    proxy.setPlan();
    const known = new Map([[earlier, EARLIER], [await attempt(store, filesOf(1)), filesOf(1)]]);
    const total = proxy.requests.length;
    for (let n = 1; n <= total; n += 2) {
      proxy.setPlan(faultFrom(n, fault));
      const files = filesOf(200 + n);
      const failure = await failureOf(async () => known.set(await attempt(store, files), files));
      assert(proxy.injected > 0);
      // Requests after the last write may fail without harm: a lock that stays turns stale.
      assert(failure === undefined || failure instanceof StoreError, `request ${n}: ${failure}`);
      for (const id of await direct.list("lock")) await direct.delete("lock", id);
      await using repository = await open(direct);
      for (const id of await snapshotIds(repository)) {
        // A state whose answer was lost is there all the same, and then it is whole.
        if (!known.has(id)) {
          assert(fault === "half-answer", `request ${n}: a snapshot that was said to have failed`);
          known.set(id, files);
        }
      }
      assertEquals(await snapshotIds(repository), [...known.keys()].sort());
    }
    await using repository = await open(direct);
    for (const [id, files] of known) await assertSnapshot(repository, id, files);
  });
}

Deno.test("a connection that stays refused is given up with the service's address", async () => {
  const refusing = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const host = `127.0.0.1:${refusing.addr.port}`;
  refusing.close();
  const error = await assertRejects(() => storeAt(host, "faults/nobody").presence(), StoreError);
  assertStringIncludes(error.message, `no answer from http://${host}`);
  assertStringIncludes(error.message, "tried 4 times");
});
