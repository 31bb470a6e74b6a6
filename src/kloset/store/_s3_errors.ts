import { ObjectNotFoundError, StoreError, UnsupportedLocationError } from "../errors.ts";
import { isKind, S3Error, S3LocationError } from "../../s3/mod.ts";

/** Runs what is done in a bucket; its failures become those of a store, in the same words. */
export async function asStore<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw storeErrorOf(error);
  }
}

/** A failure of S3 as a store tells it; any other stays as it is. */
export function storeErrorOf(error: unknown): unknown {
  if (!(error instanceof S3Error)) return error;
  const { message, hint, retryable } = error;
  const options = { cause: error, hint, retryable };
  if (error instanceof S3LocationError) return new UnsupportedLocationError(message, options);
  if (isKind(error, "no-object")) return new ObjectNotFoundError(message, options);
  return new StoreError(message, options);
}
