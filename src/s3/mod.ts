/**
 * A bucket in S3: objects, multipart uploads, requests with retries, conditional writes, checksums. A
 * ground layer: it knows neither repositories nor archives, and throws errors of its own.
 *
 * @module
 */

export type { RetryPolicy } from "./_retry.ts";
export { S3Bucket } from "./bucket.ts";
export { isKind, S3Error, type S3FailureKind, S3LocationError, S3RequestError } from "./errors.ts";
export { isPrivateHost, parseS3Location, type S3Credentials, type S3Location } from "./location.ts";
export { type S3ObjectInfo, S3Objects } from "./objects.ts";
export { configuredEndpoint, type S3Settings } from "./settings.ts";
export {
  multipartEtag,
  type S3OpenUpload,
  type S3Part,
  type S3Upload,
  S3Uploads,
} from "./uploads.ts";
