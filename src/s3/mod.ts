/**
 * A bucket in S3: objects, multipart uploads, requests with retries, conditional writes, checksums. A
 * ground layer: it knows neither repositories nor archives, and throws errors of its own.
 *
 * @module
 */

export type { S3FailureKind } from "./_failure.ts";
export type { RetryPolicy } from "./_retry.ts";
export {
  configuredEndpoint,
  multipartEtag,
  S3Bucket,
  type S3ObjectInfo,
  type S3OpenUpload,
  type S3Part,
  S3RequestError,
  type S3Settings,
  type S3Upload,
} from "./bucket.ts";
export { isPrivateHost, parseS3Location, type S3Credentials, type S3Location } from "./location.ts";
