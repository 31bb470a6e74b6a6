import { createHash } from "node:crypto";
import { assertEquals, assertRejects } from "@std/assert";
import { multipartEtag, type S3Part, S3RequestError } from "../../../src/s3/mod.ts";
import { refusal, startService, xml } from "./_service.ts";

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

const PARTS: S3Part[] = [
  { number: 1, etag: md5("a"), size: 5 },
  { number: 2, etag: md5("b"), size: 3 },
];
const UPLOAD = { key: "k", uploadId: "u1" };

Deno.test("an upload is started, sent part by part, and completed on condition", async () => {
  await using service = startService(({ method, target }) => {
    if (method === "POST" && target.includes("uploads")) {
      return xml(
        "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
      );
    }
    if (method === "PUT") return new Response(null, { headers: { etag: '"e7"' } });
    return xml("<CompleteMultipartUploadResult><Key>k</Key></CompleteMultipartUploadResult>");
  });
  const { uploads } = service.bucket();
  const upload = await uploads.start("", "k");
  assertEquals(upload, UPLOAD);
  const part = await uploads.sendPart("", upload, 7, new Uint8Array(9));
  assertEquals(part, { number: 7, etag: "e7", size: 9 });
  await uploads.complete("", upload, [part]);
  const [, sent, end] = service.seen;
  assertEquals(sent?.headers.has("content-md5"), true);
  assertEquals(end?.headers.get("if-none-match"), "*");
  assertEquals(/<PartNumber>7</.test(new TextDecoder().decode(end?.body)), true);
});

Deno.test("complete() counts as done where the answer to an earlier try was lost", async () => {
  let etag = multipartEtag(PARTS);
  await using service = startService(({ method }) =>
    method === "HEAD"
      ? new Response("12345678", { headers: { etag: `"${etag}"`, "content-length": "8" } })
      : refusal("NoSuchUpload", 404)
  );
  const { uploads } = service.bucket();
  await uploads.complete("", UPLOAD, PARTS);
  etag = multipartEtag(PARTS.toReversed());
  const error = await assertRejects(() => uploads.complete("", UPLOAD, PARTS), S3RequestError);
  assertEquals(error.kind, "no-upload");
});

Deno.test("abort() tells whether there was an upload", async () => {
  await using service = startService(() =>
    service.seen.length === 1 ? new Response(null, { status: 204 }) : refusal("NoSuchUpload", 404)
  );
  const { uploads } = service.bucket();
  assertEquals(await uploads.abort("", UPLOAD), true);
  assertEquals(await uploads.abort("", UPLOAD), false);
});

Deno.test("list() and parts() go through the pages", async () => {
  await using service = startService(({ target }) => {
    if (target.includes("part-number-marker=1")) {
      return xml(
        '<ListPartsResult><Part><PartNumber>2</PartNumber><ETag>"e2"</ETag><Size>3</Size></Part>' +
          "<IsTruncated>false</IsTruncated></ListPartsResult>",
      );
    }
    if (target.includes("uploadId=u1")) {
      return xml(
        '<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>"e1"</ETag><Size>5</Size></Part>' +
          "<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker></ListPartsResult>",
      );
    }
    const isSecond = target.includes("key-marker=k");
    return xml(
      "<ListMultipartUploadsResult><Upload><Key>k</Key>" +
        `<UploadId>${isSecond ? "u2" : "u1"}</UploadId>` +
        "<Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>" +
        (isSecond
          ? "<IsTruncated>false</IsTruncated>"
          : "<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>" +
            "<NextUploadIdMarker>u1</NextUploadIdMarker>") +
        "</ListMultipartUploadsResult>",
    );
  });
  const { uploads } = service.bucket();
  const startedMs = Date.parse("2026-01-01T00:00:00Z");
  assertEquals(await Array.fromAsync(uploads.list("", "k")), [
    { key: "k", uploadId: "u1", startedMs },
    { key: "k", uploadId: "u2", startedMs },
  ]);
  assertEquals(await uploads.parts("", UPLOAD), [
    { number: 1, etag: "e1", size: 5 },
    { number: 2, etag: "e2", size: 3 },
  ]);
});

Deno.test("multipartEtag() is the MD5 of the parts' MD5s, and their number", () => {
  const raw = PARTS.map(({ etag }) => Uint8Array.fromHex(etag));
  const joined = createHash("md5").update(raw[0]!).update(raw[1]!).digest("hex");
  assertEquals(multipartEtag(PARTS), `${joined}-2`);
});
