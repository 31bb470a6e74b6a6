import { isIPv4, isIPv6 } from "node:net";
import { S3LocationError } from "./errors.ts";

/** An access key and its secret. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Where in S3 something is, and how the service is reached. */
export interface S3Location {
  readonly bucket: string;
  /** What comes before the names of all keys: empty, or ending in `/`. */
  readonly prefix: string;
  /**
   * The service's URL without a path.
   *
   * @default AWS, or what the profile in `~/.aws/config` says
   */
  readonly endpoint?: string;
  /** From the location itself; else the standard AWS variables and files are searched. */
  readonly credentials?: S3Credentials;
  /** For messages; holds no secret. */
  readonly location: string;
}

/** Top-level names that are never public. */
const PRIVATE_SUFFIX = /(?:^|\.)(?:localhost|local|internal|lan|svc)$/;

/** What a bucket may be called: no others have been possible since 2018. */
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Buckets of before that time, and of other services. */
const ANY_BUCKET_NAME = /^[A-Za-z0-9._-]{3,255}$/;

/**
 * Takes an `s3://` location apart. The part after the slashes is either a service's host or a
 * bucket:
 *
 * | location                            | means                                                   |
 * | ----------------------------------- | ------------------------------------------------------- |
 * | `s3://HOST:PORT/BUCKET[/PREFIX]`    | with a port: a host                                     |
 * | `s3://10.0.0.7/BUCKET[/PREFIX]`     | an IP address, `localhost` or `[::1]`: a host           |
 * | `s3://s3.example.org/BUCKET[/…]`    | with a dot: a host, as in plakar                        |
 * | `s3://BUCKET[/PREFIX]`              | without a dot: a bucket at the endpoint, or at AWS      |
 *
 * A name with a dot is refused where an endpoint of another name is configured, and a name without
 * one where the location has credentials: these could mean both. So could, where no endpoint is
 * configured, the name of a server's program, as in `s3://minio/BUCKET`, and a name with two more
 * after it, as in `s3://NAME/BUCKET/PREFIX`: the Go tool takes it for a host.
 *
 * Hosts are spoken to by HTTPS, unless the endpoint has the same host and begins with `http://`, or
 * the location has credentials, as in `s3://key:secret@10.0.0.7:9000/bucket`, and the host is in a
 * private network: the Go tool goes by that. Credentials are never a reason to send anything in
 * plain text to a public host.
 *
 * @param endpoint the configured endpoint, such as `https://storage.googleapis.com`
 * @throws {S3LocationError} it is malformed or could mean two things; the message has no
 * secret in it
 *
 * @example A bucket at AWS, and one at a server of one's own
 * ```ts
 * import { parseS3Location } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseS3Location("s3://backups/infrahub").endpoint, undefined);
 * const { endpoint, bucket, prefix } = parseS3Location("s3://minio.example.org:9000/backups/prod");
 * assertEquals([endpoint, bucket, prefix], ["https://minio.example.org:9000", "backups", "prod/"]);
 * ```
 */
export function parseS3Location(location: string, endpoint?: string): S3Location {
  const configured = endpoint ? parseEndpoint(endpoint) : undefined;
  const { userInfo, authority, path } = split(location);
  const credentials = userInfo === undefined ? undefined : parseUserInfo(userInfo);
  const segments = decodePath(path);
  const shown = ["s3:/", authority, ...segments].join("/");
  const host = hostOf(authority, configured, credentials !== undefined, shown);
  if (host === undefined) {
    if (configured === undefined) requireBucketMeant(authority, segments, shown);
    return {
      ...bucketAndPrefix([authority, ...segments], shown),
      ...(configured === undefined ? {} : { endpoint: configured.origin }),
      ...(credentials === undefined ? {} : { credentials }),
      location: shown,
    };
  }
  const isPlain = configured?.host === host.host
    ? configured.protocol === "http:"
    : credentials !== undefined && isPrivateHost(host.hostname);
  return {
    ...bucketAndPrefix(segments, shown),
    endpoint: `${isPlain ? "http" : "https"}://${authority}`,
    ...(credentials === undefined ? {} : { credentials }),
    location: shown,
  };
}

/**
 * Reads an endpoint; any path is passed over, as in the Go tool.
 *
 * @throws {S3LocationError} it is no URL with a host
 */
export function parseEndpoint(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw new S3LocationError(
      `invalid S3 endpoint "${withoutUserInfo(endpoint)}" ` +
        "(expected a URL like https://storage.googleapis.com)",
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new S3LocationError(
      `The S3 endpoint "${url.protocol}//${url.host}" must not have credentials in it: ` +
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    );
  }
  return url;
}

/** Whether a host is this machine or in a network that the public does not reach. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (isIPv6(host)) return host === "::1" || /^f[cd]|^fe[89ab]/.test(host);
  if (isIPv4(host)) {
    return /^(?:127|10|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01]))\./.test(host);
  }
  return !host.includes(".") || PRIVATE_SUFFIX.test(host) || host.endsWith(".svc.cluster.local");
}

interface Parts {
  readonly userInfo: string | undefined;
  readonly authority: string;
  readonly path: string;
}

/** Splits by hand: a secret may hold what a URL must not, and no message may repeat it. */
function split(location: string): Parts {
  const [, userInfo, authority, path = ""] =
    /^s3:\/\/(?:([^@/]*)@)?([^@/]*)(?:\/(.*))?$/is.exec(location) ?? [];
  if (authority === undefined) {
    throw new S3LocationError(
      "Cannot read the S3 location: it has to be s3://HOST/BUCKET/PREFIX or s3://BUCKET/PREFIX",
    );
  }
  const isCutSecret = authority.includes(":") && !/^(?:\[[^\]]*\]|[^:]*):\d+$/.test(authority) &&
    !/^\[[^\]]*\]$/.test(authority);
  if (isCutSecret) {
    // Most likely a secret with a slash in it; or no number as a port.
    throw new S3LocationError(
      "Cannot read the S3 location: what follows the colon is no port; " +
        "in a key write / as %2F, : as %3A and @ as %40",
    );
  }
  if (authority === "") {
    throw new S3LocationError("Cannot read the S3 location: it names no host or bucket");
  }
  if (/[?#]/.test(authority + path)) {
    throw new S3LocationError(
      `Cannot use "s3://${authority}/…": a query or a fragment means nothing in an S3 location`,
    );
  }
  return { userInfo, authority, path };
}

function parseUserInfo(userInfo: string): S3Credentials {
  const [, accessKeyId = "", secretAccessKey = ""] = /^([^:]*):(.*)$/s.exec(userInfo) ?? [];
  if (accessKeyId === "" || secretAccessKey === "") {
    throw new S3LocationError(
      "Credentials in an S3 location have to be ACCESS_KEY:SECRET_KEY before the @",
    );
  }
  return { accessKeyId: decode(accessKeyId), secretAccessKey: decode(secretAccessKey) };
}

/** The non-empty parts of a path, decoded. */
function decodePath(path: string): string[] {
  const segments = path.replace(/\/+$/, "").split("/").filter((part, index) =>
    index > 0 || part !== ""
  );
  return segments.map((part) => {
    const decoded = decode(part);
    // A URL cannot carry these, so that no request for them would be what was signed.
    if (decoded === "" || decoded === "." || decoded === "..") {
      throw new S3LocationError(
        `Cannot use an S3 prefix with "//", "/./" or "/../" in it`,
      );
    }
    return decoded;
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new S3LocationError(
      "Cannot read the S3 location: a % has to be followed by two hex digits (write % as %25)",
    );
  }
}

/** The host that is meant; undefined: the first part is a bucket. */
function hostOf(
  authority: string,
  configured: URL | undefined,
  hasCredentials: boolean,
  shown: string,
): URL | undefined {
  const url = URL.canParse(`https://${authority}`) ? new URL(`https://${authority}`) : undefined;
  if (url === undefined) {
    throw new S3LocationError(`Cannot use "${shown}": "${authority}" is no host`);
  }
  const isConfigured = sameHost(url, authority, configured);
  const isHost = isConfigured || /:\d+$/.test(authority) || authority.startsWith("[") ||
    isIPv4(authority) || authority === "localhost";
  if (isHost) return isConfigured ? configured : url;
  if (authority.includes(".")) {
    if (configured === undefined || !BUCKET_NAME.test(authority)) return url;
    throw new S3LocationError(
      `Cannot tell whether "${authority}" in "${shown}" is a host or a bucket, as the endpoint is ` +
        `${configured.origin}: write s3://${configured.host}/${authority}/… for the bucket, ` +
        `or s3://${authority}:443/… for the host`,
    );
  }
  if (!hasCredentials) return undefined;
  throw new S3LocationError(
    `Cannot tell whether "${authority}" in "${shown}" is a host or a bucket: write ` +
      `${authority}:443 or ${authority}:80 for the host; for the bucket, name the host before it, ` +
      "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in place of the credentials",
  );
}

/** Programs that serve S3: hosts are called so, in containers above all. */
const SERVERS = /^(?:minio|rustfs|garage|ceph|rgw|radosgw|seaweedfs|localstack)(?:-?\d+)?$/;

/** @throws {UnsupportedLocationError} a name without a dot could be a host's as well */
function requireBucketMeant(name: string, segments: readonly string[], shown: string): void {
  const [bucket] = segments;
  if (bucket === undefined || (segments.length < 2 && !SERVERS.test(name))) return;
  const rest = segments.join("/");
  throw new S3LocationError(
    `Cannot tell whether "${name}" in "${shown}" is a host or a bucket: write ` +
      `s3://${name}:443/${rest} for the bucket "${bucket}" at the host (with its port, and ` +
      `--s3-endpoint http://${name}:PORT where it has no TLS), or ` +
      `s3://s3.amazonaws.com/${name}/${rest} for the bucket "${name}" at AWS`,
  );
}

/** Whether the location names the host of the endpoint, with its port or without a default one. */
function sameHost(url: URL, authority: string, configured: URL | undefined): boolean {
  if (configured === undefined) return false;
  if (configured.host === authority.toLowerCase()) return true;
  const port = configured.port || (configured.protocol === "http:" ? "80" : "443");
  return url.hostname === configured.hostname && authority.endsWith(`:${port}`);
}

function bucketAndPrefix(
  [bucket, ...rest]: readonly string[],
  shown: string,
): { bucket: string; prefix: string } {
  if (bucket === undefined) {
    const name = shown.slice("s3://".length);
    throw new S3LocationError(
      `Cannot use "${shown}": "${name}" is a host, and no bucket is named after it` +
        (BUCKET_NAME.test(name)
          ? `; if it is a bucket at AWS, write s3://s3.amazonaws.com/${name}`
          : ""),
    );
  }
  if (!ANY_BUCKET_NAME.test(bucket)) {
    throw new S3LocationError(`Cannot use "${shown}": "${bucket}" is no bucket's name`);
  }
  return { bucket, prefix: rest.length === 0 ? "" : `${rest.join("/")}/` };
}

function withoutUserInfo(text: string): string {
  return text.replace(/\/\/.*@/s, "//***@");
}
