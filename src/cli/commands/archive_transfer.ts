import { messageOf } from "../../errors/mod.ts";
import { ArchiveBucket, ArchiveTransferError, type CreatedArchive } from "../../infrahub/mod.ts";
import { backupDirectory, s3Settings, type Session } from "../session/mod.ts";
import { UsageError } from "../syntax/mod.ts";

/** Where an archive is uploaded to, and whether it stays here as well. */
export interface ArchiveUpload {
  readonly bucket: ArchiveBucket;
  readonly keepLocal: boolean;
}

/**
 * The bucket that the options name.
 *
 * @throws {UsageError} they name none
 */
export function archiveBucket(session: Session): ArchiveBucket {
  const name = session.globals.s3Bucket;
  if (!name) {
    throw new UsageError(
      "S3 bucket is required when S3 upload/download is enabled " +
        "(use --s3-bucket or INFRAHUB_S3_BUCKET)",
    );
  }
  return new ArchiveBucket(name, s3Settings(session));
}

/**
 * Uploads an archive that is on this host.
 *
 * @returns its address in S3
 */
export async function uploadArchive(
  { context, globals, reporter }: Session,
  bucket: ArchiveBucket,
  path: string,
): Promise<string> {
  const key = ArchiveBucket.keyOf(globals.s3Prefix ?? "", path);
  const { uri } = await bucket.upload(path, key, { reporter, signal: context.signal });
  reporter.info(`Backup uploaded to: ${uri}`);
  return uri;
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

/**
 * Calls `use` with the path of an archive on this host: the given one, or a private copy of one in
 * S3 that is removed afterwards.
 *
 * @param location a path, or `s3://BUCKET/KEY`
 */
export async function withLocalArchive<T>(
  session: Session,
  location: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  if (!location.startsWith("s3://")) return await use(location);
  const { context, reporter } = session;
  const { bucket, key } = parseArchiveUri(location);
  const source = new ArchiveBucket(bucket, s3Settings(session));
  const directory = backupDirectory(session);
  await Deno.mkdir(directory, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: directory, prefix: ".infrahub_restore_" });
  try {
    const path = `${folder}/${key.slice(key.lastIndexOf("/") + 1)}`;
    await source.download(key, path, { reporter, signal: context.signal });
    return await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true }).catch((error) => {
      reporter.warn(`Could not remove ${folder}: ${messageOf(error)}`);
    });
  }
}

/**
 * Takes `s3://BUCKET/KEY` apart at its first slash.
 *
 * @throws {UsageError} there is no bucket, no key, or there are credentials in it
 */
export function parseArchiveUri(uri: string): { bucket: string; key: string } {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]*)\/?(.*)$/s.exec(uri) ?? [];
  if (bucket.includes("@") || bucket.includes(":")) {
    // Not repeated: there may be a secret in it.
    throw new UsageError(
      "invalid S3 URI: expected s3://bucket/key; name a server by --s3-endpoint, and credentials " +
        "by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    );
  }
  if (bucket === "") throw new UsageError(`invalid S3 URI: ${uri}: it names no bucket`);
  if (key === "" || key.endsWith("/")) {
    throw new UsageError(`invalid S3 URI: ${uri}: it names no archive in the bucket`);
  }
  return { bucket, key };
}
