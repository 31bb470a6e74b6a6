import { assert, assertEquals, assertRejects } from "@std/assert";
import { S3RequestError } from "../../../src/s3/mod.ts";
import { refusal, startService } from "./_service.ts";

Deno.test("a request is tried again as often as it may, and says how often it was", async () => {
  await using service = startService(() => refusal("SlowDown", 503));
  const error = await assertRejects(() => service.bucket().objects.get("Cannot read x", "x"));
  assert(error instanceof S3RequestError);
  assertEquals([error.kind, error.retryable, service.seen.length], ["transient", true, 3]);
  assert(/^Cannot read x: http:\S+ answered 503 SlowDown.*, tried 3 times$/.test(error.message));
});

Deno.test("a request that succeeds at a later try has succeeded", async () => {
  await using service = startService(() =>
    service.seen.length < 3 ? refusal("InternalError", 500) : new Response("hello")
  );
  assertEquals(
    new TextDecoder().decode(await service.bucket().objects.get("Cannot read", "x")),
    "hello",
  );
});

Deno.test("a request that was refused for good is not tried again, and keeps no secret", async () => {
  await using service = startService(() =>
    refusal("SignatureDoesNotMatch", 403, "<AWSAccessKeyId>AK</AWSAccessKeyId>")
  );
  const error = await assertRejects(() => service.bucket().objects.get("Cannot read", "x"));
  assert(error instanceof S3RequestError);
  assertEquals([error.kind, error.retryable, service.seen.length], ["permanent", false, 1]);
  assert(!Deno.inspect(error).includes("AWSAccessKeyId"));
});

Deno.test("nothing is tried again once the signal has aborted", async () => {
  const controller = new AbortController();
  await using service = startService(() => {
    controller.abort();
    return refusal("SlowDown", 503);
  });
  const bucket = service.bucket({ signal: controller.signal });
  await assertRejects(() => bucket.objects.get("Cannot read", "x"), S3RequestError);
  assertEquals(service.seen.length, 1);
});

Deno.test("credentials that have run out are looked for once more, and no more than that", async () => {
  await using service = startService(() => refusal("ExpiredToken", 400));
  const error = await assertRejects(() => service.bucket().objects.get("Cannot read", "x"));
  assert(error instanceof S3RequestError);
  assertEquals([error.kind, service.seen.length], ["expired", 2]);
});
