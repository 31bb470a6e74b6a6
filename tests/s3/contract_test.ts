/** The contract of stores, kept by the S3 store against real servers. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { S3Store, StoreError } from "../../src/kloset/mod.ts";
import { S3Bucket } from "../../src/s3/mod.ts";
import { parseS3Location } from "../../src/s3/mod.ts";
import { testStoreContract } from "../unit/kloset/store_contract.ts";
import { type S3Server, startServer } from "./servers.ts";

const SERVERS: readonly S3Server[] = [await startServer("minio"), await startServer("versitygw")];

const ID = "0123456789abcdef".repeat(4);

for (const server of SERVERS) {
  let count = 0;
  const place = () => server.at(`contract-${server.name}/p${++count}/repository`);
  const bucketOf = (location: string) => new S3Bucket(parseS3Location(location));

  testStoreContract(`S3Store at ${server.name}`, () => {
    const location = place();
    const bucket = bucketOf(location);
    return Promise.resolve({
      store: new S3Store(location),
      another: () => new S3Store(location),
      leftovers: async () => {
        // MinIO lists uploads by their whole key alone.
        const left: string[] = [];
        for (const folder of ["packfiles/01/", "states/01/", "locks/"]) {
          const key = `${bucket.address.prefix}${folder}${ID}`;
          for await (const upload of bucket.uploads.list("", key)) left.push(upload.key);
        }
        return left;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  });

  const test = (what: string, run: (store: S3Store, bucket: S3Bucket) => Promise<void>) =>
    Deno.test(`S3Store at ${server.name} ${what}`, async () => {
      const location = place();
      await run(new S3Store(location), bucketOf(location));
    });

  test("writes large objects in parts, and reads any range of them", async (store, bucket) => {
    const bytes = new Uint8Array(17 * 1024 * 1024 + 123);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31) ^ (i >>> 9);
    await store.create(new Uint8Array([1]));
    const writer = await store.openWriter("packfile", ID);
    for (let at = 0; at < bytes.length; at += 700_001) {
      await writer.write(bytes.subarray(at, at + 700_001));
    }
    assertEquals(await store.list("packfile"), []);
    await writer.close();
    assertEquals(await store.size("packfile", ID), bytes.length);
    const { etag } = await bucket.objects.head("", `${bucket.address.prefix}packfiles/01/${ID}`);
    assert(/-4$/.test(etag), `not four parts: ${etag}`);
    assert(equal(await store.readAll("packfile", ID), bytes));
    for (const [offset, length] of [[0, 10], [5_242_870, 20], [17_825_900, 15], [99, 9_000_000]]) {
      const target = new Uint8Array(length!);
      await store.read("packfile", ID, offset!, target);
      assert(equal(target, bytes.subarray(offset, offset! + length!)), `${offset}`);
    }
  });

  test("leaves nothing of a large object that is aborted", async (store, bucket) => {
    await store.create(new Uint8Array([1]));
    const writer = await store.openWriter("packfile", ID);
    await writer.write(new Uint8Array(11 * 1024 * 1024));
    await writer.abort();
    const key = `${bucket.address.prefix}packfiles/01/${ID}`;
    for await (const upload of bucket.uploads.list("", key)) throw new Error(`left: ${upload.key}`);
    assertEquals(await store.list("packfile"), []);
  });

  test("lists thousands of objects, and passes over what is none", async (store, bucket) => {
    await store.create(new Uint8Array([1]));
    const ids = Array.from({ length: 2100 }, (_, i) => i.toString(16).padStart(64, "0"));
    const queue = ids.values();
    await Promise.all(Array.from({ length: 16 }, async () => {
      for (const id of queue) await store.put("packfile", id, new Uint8Array(1));
    }));
    const { prefix } = bucket.address;
    for (const name of [`ff/${ids[0]}`, `00/${ids[0]}.frozen`, "notes.txt", "00/short"]) {
      await bucket.objects.put("", `${prefix}packfiles/${name}`, new Uint8Array(1), true);
    }
    assertEquals((await store.list("packfile")).sort(), ids);
    assertEquals(await store.list("state"), []);
  });

  test("never overwrites a packfile or a state", async (store) => {
    await store.create(new Uint8Array([1]));
    for (const kind of ["packfile", "state"] as const) {
      await store.put(kind, ID, new Uint8Array([1, 2, 3]));
      await assertRejects(() => store.put(kind, ID, new Uint8Array([3])), StoreError, "exists");
      const writer = await store.openWriter(kind, ID);
      await writer.write(new Uint8Array(6 * 1024 * 1024));
      await assertRejects(() => writer.close(), StoreError, "exists");
      assertEquals(await store.readAll(kind, ID), new Uint8Array([1, 2, 3]));
    }
  });

  test("removeAbandoned() removes the parts of a writer that was killed", async (store, bucket) => {
    await store.create(new Uint8Array([1]));
    const key = `${bucket.address.prefix}packfiles/01/${ID}`;
    const upload = await bucket.uploads.start("", key);
    await bucket.uploads.sendPart("", upload, 1, new Uint8Array(10));
    await store.removeAbandoned(Date.now() + 60_000);
    const left: string[] = [];
    for await (const upload of bucket.uploads.list("", key)) left.push(upload.uploadId);
    // MinIO does not tell of uploads below a prefix, and removes old ones by itself.
    assertEquals(left, server.name === "minio" ? [upload.uploadId] : []);
    await bucket.uploads.abort("", upload);
  });

  test("calls packfiles without a CONFIG foreign, and other keys absent", async (store, bucket) => {
    const { prefix } = bucket.address;
    await store.create(new Uint8Array([1]));
    await bucket.objects.delete("", `${prefix}CONFIG`);
    await bucket.objects.put("", `${prefix}archive.tar.gz`, new Uint8Array(1), true);
    assertEquals(await store.presence(), "absent");
    await store.put("packfile", ID, new Uint8Array(1));
    assertEquals(await store.presence(), "foreign");
  });
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
