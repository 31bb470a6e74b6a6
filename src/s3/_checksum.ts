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

/** The members that carry a body's checksums; the body must not change meanwhile. */
export function checksumMembers(
  body: Uint8Array,
  checksums: readonly S3Checksum[],
): ChecksumMembers {
  return {
    ...(checksums.includes("md5") ? { ContentMD5: md5Base64(body) } : {}),
    ...(checksums.includes("crc32")
      ? { ChecksumAlgorithm: "CRC32", ChecksumCRC32: crc32Base64(body) }
      : {}),
  };
}

/** What of a request of the SDK matters here. */
export interface CheckedRequest {
  /** With its colon. */
  readonly protocol: string;
  readonly hostname: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

/**
 * Leaves a body out of the signature, which covers its checksum: a hash of everything would cost more
 * time than all else.
 *
 * Whoever can change what passes a plain connection can make another body of the same CRC-32, and
 * none of the same MD5, which is added there. What passes by TLS, or stays on this machine, cannot be
 * changed.
 */
export function signByChecksum(request: CheckedRequest): void {
  const { headers, body } = request;
  const isChecked = "content-md5" in headers || "x-amz-checksum-crc32" in headers;
  if (!isChecked || !(body instanceof Uint8Array)) return;
  if (
    !("content-md5" in headers) && request.protocol === "http:" && !isLoopback(request.hostname)
  ) {
    headers["content-md5"] = md5Base64(body);
  }
  headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
}

/** An ETag without its quotes; empty where there is none. */
export function unquoted(etag = ""): string {
  return etag.replaceAll('"', "");
}

function isLoopback(hostname: string): boolean {
  return (isIPv4(hostname) && hostname.startsWith("127.")) ||
    ["localhost", "::1", "[::1]"].includes(hostname.toLowerCase());
}

function md5Base64(body: Uint8Array): string {
  return createHash("md5").update(body).digest("base64");
}

/** Big-endian, as the header has it. */
function crc32Base64(body: Uint8Array): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, crc32(body));
  return btoa(String.fromCharCode(...bytes));
}
