import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CorruptionError,
  KlosetError,
  ObjectNotFoundError,
  StoreError,
  UnsupportedLocationError,
} from "../../../../src/kloset/mod.ts";
import { asStore, storeErrorOf } from "../../../../src/kloset/store/_s3_errors.ts";
import { S3Error, S3LocationError, S3RequestError } from "../../../../src/s3/mod.ts";

Deno.test("storeErrorOf() tells failures of S3 in the words and kinds of a store", () => {
  const rows: [S3Error, new (message: string) => KlosetError, boolean][] = [
    [new S3RequestError("Cannot read: gone", "no-object"), ObjectNotFoundError, false],
    [new S3RequestError("Cannot read: busy", "transient"), StoreError, true],
    [new S3RequestError("Cannot write: it exists already", "exists"), StoreError, false],
    [new S3Error("the service ignores ranges"), StoreError, false],
    [new S3LocationError("no bucket's name"), UnsupportedLocationError, false],
  ];
  for (const [error, kind, retryable] of rows) {
    const told = storeErrorOf(error);
    if (!(told instanceof KlosetError)) throw new Error(`${error.message} stays as it is`);
    assertEquals([told.constructor, told.message, told.retryable], [
      kind,
      error.message,
      retryable,
    ]);
    assert(told.cause === error);
  }
});

Deno.test("asStore() gives values back, and leaves all other errors as they are", async () => {
  assertEquals(await asStore(() => Promise.resolve(7)), 7);
  const damage = new CorruptionError("cut");
  assert(await assertRejects(() => asStore(() => Promise.reject(damage))) === damage);
});
