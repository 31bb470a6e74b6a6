import { assertEquals } from "@std/assert";
import { checksumMembers, signByChecksum } from "../../../src/s3/_checksum.ts";

const CHECK_BODY = new TextEncoder().encode("123456789");
const CHECK_MD5 = "JfnnlDI7RTiF9RgfG2JNCw==";

Deno.test("checksumMembers() gives the check values of the algorithms, as headers have them", () => {
  assertEquals(checksumMembers(CHECK_BODY, ["md5"]), { ContentMD5: CHECK_MD5 });
  // CRC-32/ISO-HDLC of these digits is cbf43926.
  assertEquals(checksumMembers(CHECK_BODY, ["crc32"]), {
    ChecksumAlgorithm: "CRC32",
    ChecksumCRC32: "y/Q5Jg==",
  });
});

Deno.test("signByChecksum() wants an MD5 where somebody may change what passes", () => {
  const rows: [protocol: string, hostname: string, wantsMd5: boolean][] = [
    ["https:", "s3.amazonaws.com", false],
    ["https:", "10.0.0.7", false],
    ["http:", "127.0.0.1", false],
    ["http:", "localhost", false],
    ["http:", "[::1]", false],
    ["http:", "10.0.0.7", true],
    ["http:", "minio.svc.cluster.local", true],
    ["http:", "127.0.0.1.example.org", true],
    ["http:", "s3.amazonaws.com", true],
  ];
  for (const [protocol, hostname, wantsMd5] of rows) {
    const headers: Record<string, string> = { "x-amz-checksum-crc32": "y/Q5Jg==" };
    signByChecksum({ protocol, hostname, headers, body: CHECK_BODY });
    assertEquals(headers, {
      "x-amz-checksum-crc32": "y/Q5Jg==",
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      ...(wantsMd5 ? { "content-md5": CHECK_MD5 } : {}),
    }, `${protocol}//${hostname}`);
  }
});

Deno.test("signByChecksum() leaves requests alone that carry no checksum", () => {
  const headers: Record<string, string> = { range: "bytes=0-1" };
  signByChecksum({ protocol: "http:", hostname: "10.0.0.7", headers });
  assertEquals(headers, { range: "bytes=0-1" });
});
