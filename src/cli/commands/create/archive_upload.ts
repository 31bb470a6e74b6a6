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
 * Uploads an archive that has just been made, and removes it here unless it is to be kept.
 *
 * @throws {ArchiveTransferError} the archive is still here then; the message says how to go on
 */
export async function uploadCreated(
  session: Session,
  { path }: CreatedArchive,
  { bucket, keepLocal }: ArchiveUpload,
): Promise<string> {
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
  if (keepLocal) return uri;
  try {
    await Deno.remove(path);
    reporter.info(`Local backup file deleted: ${path}`);
  } catch (error) {
    reporter.warn(`Could not delete the local backup file ${path}: ${messageOf(error)}`);
  }
  return uri;
}
