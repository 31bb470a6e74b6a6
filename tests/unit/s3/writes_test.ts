import { assertEquals, assertRejects } from "@std/assert";
import { refusal, startService } from "./_service.ts";

const BODY = new TextEncoder().encode("some bytes");

const sentChecksums = (headers: Headers) => [
  headers.has("content-md5"),
  headers.has("x-amz-checksum-crc32"),
];

Deno.test("a service that names the CRC-32 it has found is sent nothing else from then on", async () => {
  await using service = startService(({ headers }) => {
    const crc32 = headers.get("x-amz-checksum-crc32");
    return new Response(null, {
      headers: { etag: '"e"', ...(crc32 === null ? {} : { "x-amz-checksum-crc32": crc32 }) },
    });
  });
  const { objects } = service.bucket();
  await objects.put("", "a", BODY, true);
  await objects.put("", "b", BODY, true);
  assertEquals(service.seen.map(({ headers }) => sentChecksums(headers)), [
    [true, true],
    [false, true],
  ]);
});

Deno.test("a service that passes over a CRC-32, or refuses it, is sent an MD5", async () => {
  for (const refuses of [false, true]) {
    await using service = startService(({ headers }) =>
      refuses && headers.has("x-amz-checksum-crc32")
        ? refusal("InvalidArgument", 400)
        : new Response(null, { headers: { etag: '"e"' } })
    );
    const { objects } = service.bucket();
    await objects.put("", "a", BODY, true);
    await objects.put("", "b", BODY, true);
    assertEquals(
      service.seen.map(({ headers }) => sentChecksums(headers)),
      refuses ? [[true, true], [true, false], [true, false]] : [[true, true], [true, false]],
    );
  }
});

Deno.test("a service without conditional writes is asked before each, and not conditionally again", async () => {
  let isThere = false;
  await using service = startService(({ method, headers }) => {
    if (headers.has("if-none-match")) return refusal("NotImplemented", 501);
    if (method === "PUT") return new Response(null, { headers: { etag: '"e"' } });
    return isThere ? new Response("another") : refusal("NoSuchKey", 404);
  });
  const { objects } = service.bucket();
  await objects.put("Cannot write", "a", BODY, false);
  isThere = true;
  await assertRejects(() => objects.put("Cannot write", "b", BODY, false), Error, "exists already");
  const writes = service.seen.filter(({ method }) => method === "PUT");
  assertEquals(writes.map(({ headers }) => headers.has("if-none-match")), [
    true,
    true, // The refusal may have been that of the checksum: it is asked without.
    false,
  ]);
  assertEquals(writes.at(-1)?.target.startsWith("/bkt/a"), true);
});
