/**
 * What every store has to keep, as tests to run against each.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CorruptionError,
  type ObjectKind,
  ObjectNotFoundError,
  type Store,
  StoreError,
} from "../../../src/kloset/mod.ts";

/** A store under test, in a place of its own. */
export interface StoreUnderTest extends AsyncDisposable {
  /** Nothing is stored there yet. */
  readonly store: Store;
  /** Another client's view of the same place. */
  another(): Store;
  /** Names of unfinished writes that are left behind. */
  leftovers(): Promise<string[]>;
}

const KINDS: readonly ObjectKind[] = ["packfile", "state", "lock"];
const ID = "0123456789abcdef".repeat(4);
const OTHER_ID = "fedcba9876543210".repeat(4);
const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);

/** Registers the contract's tests for one store. */
export function testStoreContract(name: string, make: () => Promise<StoreUnderTest>): void {
  const test = (what: string, run: (subject: StoreUnderTest) => Promise<void>) =>
    Deno.test(`${name} ${what}`, async () => {
      await using subject = await make();
      await run(subject);
    });

  test("is absent until it is created", async ({ store, another }) => {
    assertEquals(await store.presence(), "absent");
    await assertRejects(() => store.readConfiguration(), ObjectNotFoundError);
    await store.create(BYTES);
    assertEquals(await store.presence(), "repository");
    assertEquals(await another().presence(), "repository");
    assertEquals(await another().readConfiguration(), BYTES);
    for (const kind of KINDS) assertEquals(await store.list(kind), []);
  });

  test("create() loses against one who was first", async ({ store, another }) => {
    await another().create(BYTES);
    await assertRejects(() => store.create(new Uint8Array(3)), StoreError);
    assertEquals(await store.readConfiguration(), BYTES);
  });

  test("create() succeeds for one of two at the same time", async ({ store, another, leftovers }) => {
    const other = BYTES.toReversed();
    const results = await Promise.allSettled([store.create(BYTES), another().create(other)]);
    assertEquals(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const [first, second] = results;
    const winner = first!.status === "fulfilled" ? BYTES : other;
    const loser = first!.status === "rejected" ? first : second;
    assert(loser!.status === "rejected" && loser!.reason instanceof StoreError);
    assertEquals(await store.readConfiguration(), winner);
    assertEquals(await leftovers(), []);
  });

  test("shows an object only when it is closed", async ({ store, another, leftovers }) => {
    await store.create(BYTES);
    for (const kind of KINDS) {
      const writer = await store.openWriter(kind, ID);
      await writer.write(BYTES.subarray(0, 600));
      await writer.write(BYTES.subarray(600));
      assertEquals(await another().list(kind), []);
      await assertRejects(() => another().readAll(kind, ID), ObjectNotFoundError);
      await assertRejects(() => another().size(kind, ID), ObjectNotFoundError);
      await writer.close();
      assertEquals(await another().list(kind), [ID]);
      assertEquals(await another().readAll(kind, ID), BYTES);
      assertEquals(await another().size(kind, ID), BYTES.length);
      await writer.abort();
      assertEquals(await another().readAll(kind, ID), BYTES, "abort() after close()");
      assertEquals(await leftovers(), []);
    }
  });

  test("leaves nothing of an object that is aborted", async ({ store, leftovers }) => {
    await store.create(BYTES);
    for (const kind of KINDS) {
      const writer = await store.openWriter(kind, ID);
      await writer.write(BYTES);
      await writer.abort();
      await writer.abort();
      assertEquals(await store.list(kind), []);
      assertEquals(await leftovers(), []);
      await assertRejects(() => writer.write(BYTES), StoreError);
      await assertRejects(() => writer.close(), StoreError);
      assertEquals(await store.list(kind), []);
      assertEquals(await leftovers(), []);
    }
  });

  test("reads ranges of an object", async ({ store }) => {
    await store.create(BYTES);
    for (const kind of KINDS) {
      await store.put(kind, ID, BYTES);
      for (const [offset, length] of [[0, 1000], [0, 1], [999, 1], [123, 456], [0, 0], [1000, 0]]) {
        const target = new Uint8Array(length!);
        await store.read(kind, ID, offset!, target);
        assertEquals(target, BYTES.slice(offset, offset! + length!));
      }
      const shared = new Uint8Array(new SharedArrayBuffer(10));
      await store.read(kind, ID, 5, shared);
      assertEquals(shared.slice(), BYTES.slice(5, 15));
    }
  });

  test("calls an object that is too short damaged", async ({ store }) => {
    await store.create(BYTES);
    for (const kind of KINDS) {
      await store.put(kind, ID, BYTES);
      for (const [offset, length] of [[0, 1001], [999, 2], [1000, 1], [5000, 1]]) {
        const read = store.read(kind, ID, offset!, new Uint8Array(length!));
        const error = await assertRejects(() => read, CorruptionError);
        assertEquals(error.context.packfile, kind === "packfile" ? ID : undefined);
      }
    }
  });

  test("tells that an object does not exist", async ({ store }) => {
    await store.create(BYTES);
    for (const kind of KINDS) {
      await store.put(kind, ID, BYTES);
      await assertRejects(() => store.readAll(kind, OTHER_ID), ObjectNotFoundError);
      await assertRejects(() => store.size(kind, OTHER_ID), ObjectNotFoundError);
      await assertRejects(
        () => store.read(kind, OTHER_ID, 0, new Uint8Array(1)),
        ObjectNotFoundError,
      );
    }
  });

  test("deletes an object once or more", async ({ store, another }) => {
    await store.create(BYTES);
    for (const kind of KINDS) {
      await store.put(kind, ID, BYTES);
      await store.put(kind, OTHER_ID, new Uint8Array());
      assertEquals((await another().list(kind)).sort(), [ID, OTHER_ID]);
      await store.delete(kind, ID);
      await store.delete(kind, ID);
      assertEquals(await another().list(kind), [OTHER_ID]);
      assertEquals(await another().readAll(kind, OTHER_ID), new Uint8Array());
    }
  });

  test("lists objects with their lengths", async ({ store, another }) => {
    await store.create(BYTES);
    for (const kind of KINDS) {
      assertEquals(await store.listSizes(kind), new Map());
      await store.put(kind, ID, BYTES);
      await store.put(kind, OTHER_ID, new Uint8Array());
      const sizes = new Map([[ID, BYTES.length], [OTHER_ID, 0]]);
      assertEquals(new Map([...await another().listSizes(kind)].sort()), sizes);
      await store.delete(kind, ID);
      await store.delete(kind, OTHER_ID);
    }
  });

  test("takes an object that is put again, and replaces a lock", async ({ store, leftovers }) => {
    await store.create(BYTES);
    for (const kind of KINDS) {
      await store.put(kind, ID, BYTES);
      await store.put(kind, ID, BYTES);
      assertEquals(await store.readAll(kind, ID), BYTES);
      assertEquals(await leftovers(), []);
    }
    await store.put("lock", ID, BYTES.subarray(0, 10));
    assertEquals(await store.readAll("lock", ID), BYTES.slice(0, 10));
    assertEquals(await leftovers(), []);
  });

  test("keeps what a writer was given, not what became of it", async ({ store }) => {
    await store.create(BYTES);
    const buffer = BYTES.slice();
    const writer = await store.openWriter("packfile", ID);
    await writer.write(buffer);
    buffer.fill(0);
    await writer.write(buffer.subarray(0, 1));
    await writer.close();
    assertEquals((await store.readAll("packfile", ID)).subarray(0, 1000), BYTES);
  });

  test("keeps kinds apart", async ({ store }) => {
    await store.create(BYTES);
    await store.put("state", ID, BYTES);
    await assertRejects(() => store.readAll("packfile", ID), ObjectNotFoundError);
    assertEquals(await store.list("lock"), []);
  });

  test("removeAbandoned() leaves writes alone that are under way", async ({ store }) => {
    await store.create(BYTES);
    const writer = await store.openWriter("packfile", ID);
    await writer.write(BYTES);
    await store.removeAbandoned(Date.now() - 60_000);
    await writer.close();
    assertEquals(await store.readAll("packfile", ID), BYTES);
  });
}
