import { ToolError } from "../errors/mod.ts";

/** Base of the errors of this layer. What a missing object means is for those who wanted it to say. */
export class S3Error extends ToolError {}

/** The location, or the endpoint, of something in S3 cannot be used; no secret in the message. */
export class S3LocationError extends S3Error {}

/** What an error of a request means for whoever made it. */
export type S3FailureKind =
  /** Likely to go well when it is tried again. */
  | "transient"
  /** The credentials have run out: others may be there by now. */
  | "expired"
  /** The bucket is in another region. */
  | "region"
  | "no-object"
  | "no-bucket"
  /** Something of that name is there. */
  | "exists"
  /** No such multipart upload. */
  | "no-upload"
  /** The range begins behind the end. */
  | "range"
  /** The service does not know something that was asked for. */
  | "unsupported"
  | "denied"
  /** Will not go away by itself. */
  | "permanent";

/** A request failed, for good or after the last try. */
export class S3RequestError extends S3Error {
  /** What went wrong. */
  readonly kind: S3FailureKind;

  constructor(message: string, kind: S3FailureKind, options?: ErrorOptions) {
    super(message, { ...options, retryable: kind === "transient" });
    this.kind = kind;
  }
}

/** Whether a request failed for one of these. */
export function isKind(error: unknown, ...kinds: S3FailureKind[]): error is S3RequestError {
  return error instanceof S3RequestError && kinds.includes(error.kind);
}
