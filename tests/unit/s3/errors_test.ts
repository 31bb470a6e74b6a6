import { assertEquals } from "@std/assert";
import { isKind, S3Error, S3RequestError } from "../../../src/s3/mod.ts";

Deno.test("S3RequestError is worth another try later when it was transient", () => {
  const transient = new S3RequestError("no answer", "transient");
  const denied = new S3RequestError("denied", "denied");
  assertEquals([transient.retryable, denied.retryable], [true, false]);
  assertEquals([isKind(denied, "exists", "denied"), isKind(denied, "exists")], [true, false]);
  assertEquals(isKind(new S3Error("the service ignores ranges"), "range"), false);
});
