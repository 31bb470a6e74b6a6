import { assertEquals, assertRejects } from "@std/assert";
import { S3Error, S3RequestError } from "../../../src/s3/mod.ts";
import { ranged, refusal, startService, xml } from "./_service.ts";

const CONTENT = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);

Deno.test("head() asks with a GET where the answer to a HEAD says no reason", async () => {
  await using service = startService((request) =>
    request.method === "HEAD" ? new Response(null, { status: 403 }) : ranged(CONTENT, request)
  );
  const found = await service.bucket().objects.head("Cannot look", "k");
  assertEquals(found, { key: "k", size: 1000, etag: "e1" });
});

Deno.test("exists() and delete() pass over what is not there, and nothing else", async () => {
  await using service = startService(({ target }) =>
    target.startsWith("/bkt/gone")
      ? refusal("NoSuchKey", 404)
      : target.startsWith("/bkt/there")
      ? new Response("x")
      : refusal("AccessDenied", 403)
  );
  const { objects } = service.bucket();
  assertEquals(await objects.exists("", "gone"), false);
  assertEquals(await objects.exists("", "there"), true);
  await objects.delete("", "gone");
  await assertRejects(() => objects.exists("", "denied"), S3RequestError, "access denied");
  await assertRejects(() => objects.delete("", "denied"), S3RequestError, "access denied");
});

Deno.test("read() fills the target, tells how much there was, and goes on where a connection broke", async () => {
  await using service = startService((request) => {
    const answer = ranged(CONTENT, request);
    if (service.seen.length !== 1) return answer;
    // The first answer ends before all of it was sent.
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(CONTENT.subarray(100, 150));
        controller.close();
      },
    });
    return new Response(stream, { status: 206, headers: answer.headers });
  });
  const { objects } = service.bucket();
  const target = new Uint8Array(new SharedArrayBuffer(300));
  assertEquals(await objects.read("Cannot read", "k", 100, target), 300);
  assertEquals(new Uint8Array(target), CONTENT.subarray(100, 400));
  assertEquals(service.seen.map(({ headers }) => headers.get("range")), [
    "bytes=100-399",
    "bytes=150-399",
  ]);
  assertEquals(await objects.read("Cannot read", "k", 990, new Uint8Array(20)), 10);
  assertEquals(await objects.read("Cannot read", "k", 2000, new Uint8Array(20)), 0);
});

Deno.test("read() fails where a service ignores ranges, but for the beginning", async () => {
  await using service = startService(() => new Response(CONTENT));
  const { objects } = service.bucket();
  assertEquals(await objects.read("Cannot read", "k", 0, new Uint8Array(10)), 10);
  await assertRejects(
    () => objects.read("Cannot read", "k", 5, new Uint8Array(10)),
    S3Error,
    "Cannot read: the service ignores ranges",
  );
});

Deno.test("stream() ends with the failure of its consumer, and tries nothing again", async () => {
  await using service = startService((request) => ranged(CONTENT, request));
  const failure = new RangeError("the disk is full");
  await assertRejects(
    () =>
      service.bucket().objects.stream(
        "",
        "k",
        { offset: 0, end: 1000 },
        () => Promise.reject(failure),
      ),
    RangeError,
    "the disk is full",
  );
  assertEquals(service.seen.length, 1);
});

Deno.test("put() writes on condition; the same bytes there are fine, others are not", async () => {
  let stored = CONTENT;
  await using service = startService(({ method }) =>
    method === "PUT" ? refusal("PreconditionFailed", 412) : new Response(stored)
  );
  const { objects } = service.bucket();
  await objects.put("Cannot write", "k", CONTENT, false);
  assertEquals(service.seen[0]?.headers.get("if-none-match"), "*");
  assertEquals(service.seen[0]?.body, CONTENT);
  stored = CONTENT.slice(1);
  const error = await assertRejects(
    () => objects.put("Cannot write", "k", CONTENT, false),
    S3RequestError,
    "Cannot write: it exists already",
  );
  assertEquals(error.kind, "exists");
});

Deno.test("put() replaces without a condition where it may", async () => {
  await using service = startService(() => new Response(null, { headers: { etag: '"e"' } }));
  await service.bucket().objects.put("", "k", CONTENT, true);
  assertEquals(service.seen[0]?.headers.get("if-none-match"), null);
});

Deno.test("list() goes through the pages, and no further than asked", async () => {
  const page = (keys: string[], next?: string) =>
    xml(
      "<ListBucketResult>" +
        keys.map((key) => `<Contents><Key>${key}</Key><Size>3</Size></Contents>`).join("") +
        (next === undefined
          ? "<IsTruncated>false</IsTruncated>"
          : `<IsTruncated>true</IsTruncated><NextContinuationToken>${next}</NextContinuationToken>`) +
        "</ListBucketResult>",
    );
  await using service = startService(({ target }) =>
    target.includes("continuation-token=t1") ? page(["c"]) : page(["a", "b"], "t1")
  );
  const { objects } = service.bucket();
  const keys = async (limit?: number) =>
    (await Array.fromAsync(objects.list("", "p/", limit))).map(({ key }) => key);
  assertEquals(await keys(), ["a", "b", "c"]);
  assertEquals(await keys(1), ["a"]);
  assertEquals(service.seen.length, 3);
});

Deno.test("list() does not take a list for whole that was cut short", async () => {
  await using service = startService(() =>
    xml(
      "<ListBucketResult><Contents><Key>a</Key><Size>3</Size></Contents>" +
        "<IsTruncated>true</IsTruncated></ListBucketResult>",
    )
  );
  const { objects } = service.bucket();
  await assertRejects(
    () => Array.fromAsync(objects.list("Cannot list", "p/")),
    S3Error,
    "Cannot list: the service cut the list short",
  );
});
