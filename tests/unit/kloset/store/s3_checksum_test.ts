import { assertEquals } from "@std/assert";
import { checksumMembers, isCrcEnough } from "../../../../src/kloset/store/_s3_checksum.ts";

Deno.test("checksumMembers() gives the check values of the algorithms, as headers have them", () => {
  const body = new TextEncoder().encode("123456789");
  assertEquals(checksumMembers(body, ["md5"]), { ContentMD5: "JfnnlDI7RTiF9RgfG2JNCw==" });
  // CRC-32/ISO-HDLC of these digits is cbf43926.
  assertEquals(checksumMembers(body, ["crc32"]), {
    ChecksumAlgorithm: "CRC32",
    ChecksumCRC32: "y/Q5Jg==",
  });
});

Deno.test("isCrcEnough() wants more where somebody may change what passes", () => {
  const rows: [protocol: string, hostname: string, isEnough: boolean][] = [
    ["https:", "s3.amazonaws.com", true],
    ["https:", "10.0.0.7", true],
    ["http:", "127.0.0.1", true],
    ["http:", "localhost", true],
    ["http:", "[::1]", true],
    ["http:", "10.0.0.7", false],
    ["http:", "minio.svc.cluster.local", false],
    ["http:", "127.0.0.1.example.org", false],
    ["http:", "s3.amazonaws.com", false],
  ];
  for (const [protocol, hostname, isEnough] of rows) {
    assertEquals(isCrcEnough({ protocol, hostname }), isEnough, `${protocol}//${hostname}`);
  }
});
