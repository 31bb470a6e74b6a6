import { messageOf } from "../../../errors/mod.ts";
import {
  type ArchiveBucket,
  ArchiveTransferError,
  type CreatedArchive,
} from "../../../infrahub/mod.ts";
import { type Session, uploadArchive } from "../../session/mod.ts";

/** Where an archive is uploaded to, and whether it stays here as well. */
export interface ArchiveUpload {
  readonly bucket: ArchiveBucket;
  readonly keepLocal: boolean;
}

/**
 * Makes sure, before anything is stopped, that an archive can be uploaded. Where it is kept here as
 * well, a bucket that cannot be reached is no reason to have no backup at all: the upload is tried once
 * the archive is made, and fails the run if it has to.
 *
 * @throws {ArchiveTransferError} the archive would be nowhere
 */
export async function requireReachable(
  { bucket, keepLocal }: ArchiveUpload,
  { reporter }: Session,
): Promise<void> {
  try {
    await bucket.requireReachable();
  } catch (error) {
    if (!keepLocal || !(error instanceof ArchiveTransferError)) throw error;
    reporter.warn(
      `${messageOf(error)}: the archive is made here all the same, and uploaded if it can be then`,
    );
  }
}

/** An archive that has been uploaded. */
export interface UploadedArchive {
  /** `s3://BUCKET/KEY`. */
  readonly uri: string;
  /** Whether it is still on this host as well. */
  readonly isHere: boolean;
}

/**
 * Uploads an archive that has just been made, and removes it here unless it is to be kept.
 *
 * @throws {ArchiveTransferError} the archive is still here then; the message says how to go on
 */
export async function uploadCreated(
  session: Session,
  { path }: CreatedArchive,
  { bucket, keepLocal }: ArchiveUpload,
): Promise<UploadedArchive> {
  const { context, reporter } = session;
  let uri: string;
  try {
    uri = await uploadArchive(session, bucket, path);
  } catch (error) {
    const next = `the archive is ${path}; "upload ${path}" goes on with it`;
    if (context.signal.aborted) {
      reporter.warn(`The upload was interrupted: ${next}`);
      throw error;
    }
    throw new ArchiveTransferError(
      `backup created locally but S3 upload failed: ${messageOf(error)}; ${next}`,
      { cause: error },
    );
  }
  if (keepLocal) return { uri, isHere: true };
  try {
    await Deno.remove(path);
    reporter.info(`Local backup file deleted: ${path}`);
    return { uri, isHere: false };
  } catch (error) {
    reporter.warn(`Could not delete the local backup file ${path}: ${messageOf(error)}`);
    return { uri, isHere: true };
  }
}
