import { assertEquals, assertRejects } from "@std/assert";
import { StoreError } from "../../../../src/kloset/mod.ts";
import { PartPool, S3Writer } from "../../../../src/kloset/store/_s3_writer.ts";
import { refusal, type ScriptedService, startService, xml } from "../../s3/_service.ts";

const MIB = 1024 * 1024;

/** A service that takes uploads and objects. */
function taking(): ScriptedService {
  return startService(({ method, target }) => {
    if (method === "POST" && target.includes("uploads")) {
      return xml(
        "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
      );
    }
    if (method === "POST") {
      return xml("<CompleteMultipartUploadResult><Key>k</Key></CompleteMultipartUploadResult>");
    }
    if (method === "DELETE") return new Response(null, { status: 204 });
    return new Response(null, { headers: { etag: '"e"' } });
  });
}

const writerTo = (service: ScriptedService) =>
  new S3Writer(service.bucket(), new PartPool(), {
    what: "Cannot write packfile",
    key: "k",
    replaces: false,
  });

Deno.test("S3Writer sends a small object in one request, and nothing before close()", async () => {
  await using service = taking();
  const writer = writerTo(service);
  await writer.write(Uint8Array.of(1, 2));
  await writer.write(Uint8Array.of(3));
  assertEquals(service.seen.length, 0);
  await writer.close();
  assertEquals(service.seen.map(({ method, body }) => [method, [...body]]), [["PUT", [1, 2, 3]]]);
  await writer.abort();
  assertEquals(service.seen.length, 1);
});

Deno.test("S3Writer sends a large object in parts of 5 MiB, in their order", async () => {
  await using service = taking();
  const writer = writerTo(service);
  const bytes = Uint8Array.from({ length: 11 * MIB }, (_, index) => (index >> 20) + 1);
  for (let at = 0; at < bytes.length; at += 3 * MIB) {
    await writer.write(bytes.subarray(at, at + 3 * MIB));
  }
  await writer.close();
  const parts = service.seen.filter(({ method }) => method === "PUT")
    .map(({ target, body }) => ({ number: /partNumber=(\d+)/.exec(target)?.[1], body }))
    .sort((a, b) => Number(a.number) - Number(b.number));
  assertEquals(parts.map(({ number, body }) => [number, body.length, body[0]]), [
    ["1", 5 * MIB, 1],
    ["2", 5 * MIB, 6],
    ["3", MIB, 11],
  ]);
  assertEquals(service.seen.at(-1)?.method, "POST");
});

Deno.test("S3Writer that is aborted gives its upload up, and takes nothing more", async () => {
  await using service = taking();
  const writer = writerTo(service);
  await writer.write(new Uint8Array(6 * MIB));
  await writer.abort();
  assertEquals(service.seen.at(-1)?.method, "DELETE");
  await assertRejects(() => writer.write(new Uint8Array(1)), StoreError, "the writer has ended");
  await assertRejects(() => writer.close(), StoreError, "the writer has ended");
});

Deno.test("S3Writer tells a store's error when a part or the object is refused", async () => {
  await using service = startService(() => refusal("AccessDenied", 403));
  const small = writerTo(service);
  await small.write(new Uint8Array(1));
  await assertRejects(() => small.close(), StoreError, "Cannot write packfile: access denied");
  const large = writerTo(service);
  await assertRejects(
    async () => {
      await large.write(new Uint8Array(6 * MIB));
      await large.close();
    },
    StoreError,
    "Cannot write packfile: access denied",
  );
});
