import { createHash } from "node:crypto";
import { isIPv4 } from "node:net";
import { crc32 } from "node:zlib";

/**
 * How a service checks that a body has arrived as it was sent. Every service takes a `Content-MD5`,
 * which costs more time than all else that is done with a byte; CRC-32 costs next to none.
 */
export type S3Checksum = "crc32" | "md5";

/** Members of the SDK's requests that carry the checksum of a body. */
export interface ChecksumMembers {
  readonly ContentMD5?: string;
  readonly ChecksumAlgorithm?: "CRC32";
  readonly ChecksumCRC32?: string;
}

/** Headers that carry the checksum of a body; the signature covers them. */
export const CHECKSUM_HEADERS = ["content-md5", "x-amz-checksum-crc32"];

/** The members that carry a body's checksums; the body must not change meanwhile. */
export function checksumMembers(
  body: Uint8Array,
  checksums: readonly S3Checksum[],
): ChecksumMembers {
  return {
    ...(checksums.includes("md5")
      ? { ContentMD5: createHash("md5").update(body).digest("base64") }
      : {}),
    ...(checksums.includes("crc32")
      ? { ChecksumAlgorithm: "CRC32", ChecksumCRC32: crc32Base64(body) }
      : {}),
  };
}

/**
 * Whether a CRC-32 is enough for what is sent to an endpoint. The signature covers the checksum and
 * leaves the body out. Whoever can change what passes a plain connection can make another body of
 * the same CRC-32, and none of the same MD5; what passes by TLS, or stays on this machine, cannot be
 * changed.
 */
export function isCrcEnough(
  { protocol, hostname }: { readonly protocol: string; readonly hostname: string },
): boolean {
  return protocol !== "http:" || isLoopback(hostname);
}

function isLoopback(hostname: string): boolean {
  return (isIPv4(hostname) && hostname.startsWith("127.")) ||
    ["localhost", "::1", "[::1]"].includes(hostname.toLowerCase());
}

/** Big-endian, as the header has it. */
function crc32Base64(body: Uint8Array): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, crc32(body));
  return btoa(String.fromCharCode(...bytes));
}
