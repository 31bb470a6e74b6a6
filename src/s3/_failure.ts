import { messageOf } from "../errors/mod.ts";
import { StallError } from "./_http.ts";
import type { S3FailureKind } from "./errors.ts";
import type { S3Location } from "./location.ts";

/** An error, understood. */
export interface S3Failure {
  readonly kind: S3FailureKind;
  /** What was found, and what to do about it; no secret in it. */
  readonly message: string;
  /** Of the bucket, where that is the problem and the service says it. */
  readonly region?: string;
}

/** Codes that pass by themselves, whatever the status. */
const TRANSIENT_CODES = new Set([
  "InternalError",
  "SlowDown",
  "SlowDownRead",
  "SlowDownWrite",
  "ServiceUnavailable",
  "RequestTimeout",
  "OperationAborted",
  "ConditionalRequestConflict",
  "TooManyRequests",
  "Throttling",
  "ThrottlingException",
  "RequestLimitExceeded",
  // The body was damaged or cut on its way.
  "BadDigest",
  "IncompleteBody",
  "XAmzContentSHA256Mismatch",
  "XAmzContentChecksumMismatch",
]);

const TRANSIENT_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Says what an error of a request means. */
export function understand(
  error: unknown,
  { bucket, endpoint }: Pick<S3Location, "bucket" | "endpoint">,
  region: string,
): S3Failure {
  const service = endpoint ?? "AWS";
  if (error instanceof StallError) return { kind: "transient", message: error.message };
  const answer = answerOf(error);
  if (answer === undefined) return understandConnection(error, service);
  const { code, status } = answer;
  const said = answer.message && answer.message !== code ? ` (${answer.message})` : "";
  const permanent = (message: string): S3Failure => ({ kind: "permanent", message });
  switch (code) {
    case "NoSuchKey":
    case "NotFound":
      return { kind: "no-object", message: "it does not exist" };
    case "NoSuchBucket":
      return {
        kind: "no-bucket",
        message: `bucket "${bucket}" does not exist at ${service}: check the name and the endpoint`,
      };
    case "NoSuchUpload":
      return { kind: "no-upload", message: "the multipart upload does not exist any more" };
    case "InvalidRange":
      return { kind: "range", message: "it is too short" };
    case "BucketAlreadyOwnedByYou":
    case "BucketAlreadyExists":
      return { kind: "exists", message: `${service} answered ${status} ${code}${said}` };
    case "PreconditionFailed":
      return { kind: "exists", message: "it exists already" };
    case "ExpiredToken":
    case "ExpiredTokenException":
    case "TokenRefreshRequired":
    case "RequestExpired":
      return {
        kind: "expired",
        message: "the session token of the credentials has expired: get new ones and run again",
      };
    case "InvalidAccessKeyId":
    case "InvalidToken":
    case "InvalidTokenId":
    case "UnrecognizedClientException":
      return permanent(
        `${service} does not know this access key: check AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN, ` +
          "AWS_PROFILE, or the credentials in the location",
      );
    case "SignatureDoesNotMatch":
      return permanent(
        `${service} rejects the signature: the secret key does not belong to the access key; ` +
          "check AWS_SECRET_ACCESS_KEY, the profile, or the credentials in the location",
      );
    case "RequestTimeTooSkewed":
    case "RequestInTheFuture":
      return permanent(
        `the clocks of this host and of ${service} differ too much: set this host's clock ` +
          `(it says ${new Date().toISOString()})`,
      );
    case "AccessDenied":
    case "AllAccessDisabled":
    case "AccountProblem":
    case "Forbidden":
      return {
        kind: "denied",
        message: `access denied to bucket "${bucket}": the credentials need s3:ListBucket on it, ` +
          `and s3:GetObject, s3:PutObject and s3:AbortMultipartUpload on its objects${said}`,
      };
    case "InvalidObjectState":
      return permanent("it is in an archive storage class: restore it there first");
    case "KeyTooLongError":
      return permanent("the key is too long: use a shorter prefix");
    case "NotImplemented":
    case "MethodNotAllowed":
      return { kind: "unsupported", message: `${service} does not support this${said}` };
  }
  if (isOfRegion(code, status)) return understandRegion(answer, bucket, region);
  if (status === 404) return { kind: "no-object", message: "it does not exist" };
  if (status === 412) return { kind: "exists", message: "it exists already" };
  if (status === 416) return { kind: "range", message: "it is too short" };
  if (status === 501) return { kind: "unsupported", message: `${service} does not support this` };
  if (status === 401 || status === 403) {
    return { kind: "denied", message: `access denied by ${service}: ${code}${said}` };
  }
  // An answer that cannot be understood, such as half of one, has a good status.
  if (TRANSIENT_CODES.has(code) || TRANSIENT_STATUS.has(status) || status < 300) {
    return { kind: "transient", message: `${service} answered ${status} ${code}${said}` };
  }
  return permanent(`${service} answered ${status} ${code}${said}`);
}

interface Answer {
  readonly code: string;
  readonly status: number;
  readonly message: string;
  readonly error: object;
}

function isOfRegion(code: string, status: number): boolean {
  return code === "PermanentRedirect" || code === "TemporaryRedirect" || code === "Redirect" ||
    code === "AuthorizationHeaderMalformed" || code === "IllegalLocationConstraintException" ||
    code === "IncorrectEndpoint" || (status >= 300 && status < 400);
}

function understandRegion({ error, message }: Answer, bucket: string, region: string): S3Failure {
  const wanted = textOf(error, "Region") ?? regionHeader(error) ??
    // Some services say it in their text alone.
    /expecting '([a-z0-9-]+)'/.exec(message)?.[1];
  const elsewhere = textOf(error, "Endpoint");
  return {
    kind: "region",
    message: wanted !== undefined
      ? `bucket "${bucket}" is in region ${wanted}, not ${region}: set AWS_REGION=${wanted}`
      : `bucket "${bucket}" is not in region ${region}: set AWS_REGION to its region` +
        (elsewhere === undefined ? "" : ` (the service names the endpoint ${elsewhere})`),
    ...(wanted === undefined ? {} : { region: wanted }),
  };
}

/** An error without an answer: no connection, or one that broke. */
function understandConnection(error: unknown, service: string): S3Failure {
  const message = chainOf(error);
  if (error instanceof Error && error.name === "CredentialsProviderError") {
    return {
      kind: "permanent",
      message: "no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or " +
        `AWS_PROFILE with ~/.aws/credentials (${error.message})`,
    };
  }
  if (error instanceof Deno.errors.NotCapable) return { kind: "permanent", message };
  // What follows goes by the runtime's texts: its errors of TLS have no codes, and no classes either.
  if (/certificate|UnknownIssuer/i.test(message)) {
    return {
      kind: "permanent",
      message: `the certificate of ${service} is not trusted: name the file of its authority in ` +
        `AWS_CA_BUNDLE (${message})`,
    };
  }
  if (/corrupt message|InvalidContentType|wrong version number/i.test(message)) {
    return {
      kind: "permanent",
      message: `${service} does not speak HTTPS; if it is meant to speak plain HTTP, set ` +
        `AWS_ENDPOINT_URL_S3=${service.replace(/^https:/, "http:")}`,
    };
  }
  // What is left is the network's, or an answer that broke off: the SDK cannot make sense of it.
  return { kind: "transient", message: `no answer from ${service}: ${message}` };
}

function answerOf(error: unknown): Answer | undefined {
  if (!(error instanceof Error) || !("$metadata" in error)) return undefined;
  const metadata = error.$metadata;
  const status = typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata
    ? metadata.httpStatusCode
    : undefined;
  if (typeof status !== "number") return undefined;
  const code = textOf(error, "Code") ?? error.name;
  return { code, status, message: error.message, error };
}

function textOf(value: object, name: string): string | undefined {
  const text: unknown = Reflect.get(value, name);
  return typeof text === "string" && text !== "" ? text : undefined;
}

function regionHeader(error: object): string | undefined {
  const response: unknown = Reflect.get(error, "$response");
  if (typeof response !== "object" || response === null) return undefined;
  const headers: unknown = Reflect.get(response, "headers");
  return typeof headers === "object" && headers !== null
    ? textOf(headers, "x-amz-bucket-region")
    : undefined;
}

/** The messages of an error and of its causes. */
function chainOf(error: unknown): string {
  const messages: string[] = [];
  for (let current = error; current !== undefined && messages.length < 4;) {
    const message = messageOf(current);
    if (!messages.some((earlier) => earlier.includes(message))) messages.push(message);
    current = current instanceof Error ? current.cause : undefined;
  }
  return messages.join(": ");
}
