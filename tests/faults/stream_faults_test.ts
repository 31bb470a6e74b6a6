/**
 * Streams that fail, and backups that are given up: no snapshot, nothing left running or taken.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Repository } from "../../src/kloset/mod.ts";
import {
  assertSnapshot,
  backUp,
  createWith,
  noise,
  openSmall,
  smallConfiguration,
  SNAPSHOT,
  snapshotIds,
  streamOf,
} from "./backups.ts";
import { MemoryStore } from "./memory_store.ts";

const LENGTH = 60_000;
const PIECE = 700;
const CONTENT = noise(LENGTH, 77);

interface Subject {
  readonly store: MemoryStore;
  readonly repository: Repository;
  readonly earlier: string;
}

const FILES = { "/a": noise(4000, 1) };

/** A repository with one snapshot. */
async function makeSubject(): Promise<Subject> {
  const store = new MemoryStore();
  await createWith(
    store,
    smallConfiguration({ packfile: { minSize: 0n, averageSize: 0n, maxSize: 8000n } }),
  );
  const repository = await openSmall(store);
  return { store, repository, earlier: await backUp(repository, FILES) };
}

/** After a failure: nothing new is seen, nothing is open, and the next backup works. */
async function assertUnharmed({ store, repository, earlier }: Subject, seed: number) {
  assertEquals([store.objects.lock.size, store.openWriters], [0, 0]);
  assertEquals(await snapshotIds(repository), [earlier]);
  const files = { "/next": noise(20_000, seed) };
  const next = await backUp(repository, files);
  await assertSnapshot(repository, next, files);
  await assertSnapshot(repository, earlier, FILES);
  // Gone again, for the next failure.
  store.objects.state.delete(next);
}

/** What both kinds of controllers have in common. */
interface Controller {
  readonly byobRequest?: ReadableStreamBYOBRequest | null;
  enqueue(chunk: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** A stream of the content that calls back before each piece; a thrown error is its failure. */
function scripted(
  type: "bytes" | undefined,
  before: (position: number) => void | Promise<void>,
  onCancel: () => void = () => {},
): ReadableStream<Uint8Array> {
  let position = 0;
  const source = {
    async pull(controller: Controller) {
      await before(position);
      if (position === LENGTH) {
        controller.close();
        // A byte stream answers the read that waits.
        controller.byobRequest?.respond(0);
        return;
      }
      controller.enqueue(CONTENT.slice(position, position + PIECE));
      position = Math.min(position + PIECE, LENGTH);
    },
    cancel: onCancel,
  };
  return type === "bytes"
    ? new ReadableStream({ ...source, type })
    : new ReadableStream(source, { highWaterMark: 0 });
}

for (const type of ["bytes", undefined] as const) {
  Deno.test(`a ${type ?? "default"} stream that fails leaves no snapshot`, async (t) => {
    const pieces = Math.ceil(LENGTH / PIECE);
    const positions = { first: 0, second: PIECE, middle: PIECE * (pieces >> 1), last: LENGTH };
    for (const [name, failAt] of Object.entries(positions)) {
      await t.step(`at the ${name} byte`, async () => {
        const subject = await makeSubject();
        await using repository = subject.repository;
        const writer = await repository.createSnapshot(SNAPSHOT);
        await writer.addFile("/before", streamOf(noise(3000, 5)));
        const failure = new Error(`failed at ${failAt}`);
        let sent = 0;
        const stream = scripted(type, (position) => {
          sent = position;
          if (position === failAt) throw failure;
        });
        assertEquals(await assertRejects(() => writer.addFile("/c", stream)), failure);
        assertEquals(sent, failAt);
        await assertRejects(() => writer.commit(), TypeError, "failed");
        await writer.abort();
        await assertUnharmed(subject, failAt);
      });
    }
  });

  Deno.test(`a backup of a ${type ?? "default"} stream that is given up at any time leaves no snapshot`, async () => {
    const subject = await makeSubject();
    await using repository = subject.repository;
    for (let instant = 0; instant < 10; instant++) {
      const abortAt = PIECE * Math.floor(instant * (LENGTH / PIECE) / 10);
      const abort = new AbortController();
      const reason = new Error(`given up at ${abortAt}`);
      let cancelled = 0;
      const stream = scripted(
        type,
        (position) => {
          if (position === abortAt) abort.abort(reason);
        },
        () => {
          cancelled++;
        },
      );
      const writer = await repository.createSnapshot({ ...SNAPSHOT, signal: abort.signal });
      assertEquals(await assertRejects(() => writer.addFile("/c", stream)), reason);
      await writer.abort();
      assertEquals(cancelled, 1, `${abortAt}`);
      // As if it had never been, for the next instant.
      const { earlier } = subject;
      assertEquals([subject.store.objects.lock.size, subject.store.openWriters], [0, 0]);
      assertEquals(await snapshotIds(repository), [earlier]);
    }
    await assertUnharmed(subject, 1);
  });
}

Deno.test("a backup that is given up while it commits leaves a whole snapshot or none", async () => {
  for (let instant = 0; instant < 10; instant++) {
    const { store, repository, earlier } = await makeSubject();
    await using _ = repository;
    const abort = new AbortController();
    const reason = new Error("given up");
    const writer = await repository.createSnapshot({ ...SNAPSHOT, signal: abort.signal });
    await writer.addFile("/c", streamOf(CONTENT));
    // After so many of the store's writes.
    let writes = 0;
    const openWriter = store.openWriter.bind(store);
    store.openWriter = async (kind, id) => {
      const opened = await openWriter(kind, id);
      return {
        ...opened,
        write: async (bytes) => {
          if (++writes === instant) abort.abort(reason);
          await opened.write(bytes);
        },
      };
    };
    const put = store.put.bind(store);
    store.put = async (kind, id, bytes) => {
      await put(kind, id, bytes);
      // The lock is renewed before the state is put.
      if (kind === "state") abort.abort(reason);
    };
    const committed = await writer.commit().then(() => true, (error) => {
      assertEquals(error, reason);
      return false;
    });
    await writer.abort();
    assert(committed || instant > 0, "nothing was given up");
    const expected = committed ? [earlier, writer.id] : [earlier];
    await using reopened = await openSmall(store);
    assertEquals(await snapshotIds(reopened), expected.toSorted());
    for (const id of expected) {
      assertEquals(await (await reopened.openSnapshot(id)).check(), []);
    }
    assertEquals([store.objects.lock.size, store.openWriters], [0, 0]);
  }
});

Deno.test("failures give all memory back: more of them than there is memory for", async () => {
  const store = new MemoryStore();
  // Chunks of 8 MiB: a region that is lost each time would use up the kernels' 1 GiB.
  await createWith(
    store,
    smallConfiguration({
      chunking: {
        algorithm: "fastcdc-v1.0.0",
        minSize: 2 ** 19,
        normalSize: 2 ** 20,
        maxSize: 2 ** 23,
      },
    }),
  );
  await using repository = await openSmall(store);
  const megabyte = noise(2 ** 20, 1);
  for (let i = 0; i < 150; i++) {
    const writer = await repository.createSnapshot(SNAPSHOT);
    const failing = ReadableStream.from((function* () {
      yield megabyte;
      throw new Error("no");
    })());
    await assertRejects(() => writer.addFile("/c", failing), Error, "no");
    await writer.abort();
  }
  const files = { "/a": noise(5 * 2 ** 20, 2) };
  await assertSnapshot(repository, await backUp(repository, files), files);
});

Deno.test("two backups on one repository: one that fails does not disturb the other", async () => {
  const subject = await makeSubject();
  await using repository = subject.repository;
  const failing = await repository.createSnapshot(SNAPSHOT);
  const good = await repository.createSnapshot(SNAPSHOT);
  const failure = new Error("no");
  const [failed] = await Promise.all([
    assertRejects(() =>
      failing.addFile(
        "/c",
        scripted(undefined, (position) => {
          if (position >= LENGTH / 2) throw failure;
        }),
      )
    ),
    good.addFile("/c", scripted("bytes", () => {})),
  ]);
  assertEquals(failed, failure);
  await failing.abort();
  await good.commit();
  await assertSnapshot(repository, good.id, { "/c": CONTENT });
  assertEquals(await snapshotIds(repository), [subject.earlier, good.id].toSorted());
});
