/**
 * Where a repository's files live: the contract that every store keeps, and the stores.
 *
 * A store knows names, bytes and durability, and nothing of what the bytes mean.
 *
 * @module
 */

export * from "./store.ts";
export * from "./file_system.ts";
export * from "./location.ts";
export type { RetryPolicy } from "../../s3/mod.ts";
export type { S3FailureKind } from "../../s3/mod.ts";
export * from "./s3.ts";
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
} from "../../s3/mod.ts";
export {
  isPrivateHost,
  parseS3Location,
  type S3Credentials,
  type S3Location,
} from "../../s3/mod.ts";
export {
  sandboxOf,
  type StoreFinding,
  type StoreSandbox,
  validateStore,
} from "../../infrahub/catalogue/mod.ts";
