import { assertEquals, assertRejects } from "@std/assert";
import { S3RequestError } from "../../../src/s3/mod.ts";
import { refusal, startService, xml } from "./_service.ts";

Deno.test("create() is content with a bucket that is there, and with no other refusal", async () => {
  for (const code of ["BucketAlreadyOwnedByYou", "BucketAlreadyExists"]) {
    await using service = startService(() => refusal(code, 409));
    await service.bucket().create("Cannot create");
    assertEquals(service.lines(), ["PUT /bkt/"]);
  }
  await using denied = startService(() => refusal("AccessDenied", 403));
  await assertRejects(() => denied.bucket().create("Cannot create"), S3RequestError, "denied");
});

Deno.test("serverTimeMs() is what the service's Date says, undefined where it says none", async () => {
  const date = "Wed, 18 Mar 2026 14:30:00 GMT";
  await using service = startService(() => {
    const answer = xml("<ListBucketResult></ListBucketResult>");
    answer.headers.set("date", date);
    return answer;
  });
  assertEquals(await service.bucket().serverTimeMs("Cannot reach"), Date.parse(date));
});
