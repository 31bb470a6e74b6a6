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

Deno.test("a wait for the service is told while it lasts: between tries, and for an answer", async (t) => {
  const listen = () => {
    const warnings: string[] = [];
    return { warnings, settings: { onWarning: (text: string) => void warnings.push(text) } };
  };
  await t.step("between tries, once for all of them", async () => {
    await using service = startService(() => refusal("SlowDown", 503));
    const { warnings, settings } = listen();
    const bucket = service.bucket({ ...settings, toldAfterMs: 0 });
    await assertRejects(() => bucket.objects.get("Cannot read x", "x"), S3RequestError);
    const told = warnings.filter((text) => text.endsWith("; it is tried again"));
    assertEquals(told.length, 1, warnings.join("\n"));
    assert(/^Waiting for S3: Cannot read x: .*503 SlowDown/.test(told[0] ?? ""), told[0]);
  });
  await t.step("for an answer", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    await using service = startService(() => promise);
    const { warnings, settings } = listen();
    const bucket = service.bucket({
      onWarning: (text) => {
        settings.onWarning(text);
        resolve(new Response("hello"));
      },
      toldAfterMs: 100,
    });
    await bucket.objects.get("Cannot read", "x");
    assertEquals(warnings, ["Waiting for S3: bkt has given no answer yet"]);
  });
  await t.step("a short one is not", async () => {
    await using service = startService(() =>
      service.seen.length < 3 ? refusal("InternalError", 500) : new Response("hello")
    );
    const { warnings, settings } = listen();
    await service.bucket(settings).objects.get("Cannot read", "x");
    assertEquals(warnings, []);
  });
});
