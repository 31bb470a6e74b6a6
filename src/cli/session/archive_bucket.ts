import { ArchiveBucket } from "../../infrahub/mod.ts";
import { UsageError } from "../syntax/mod.ts";
import { s3Settings } from "./s3_settings.ts";
import type { Session } from "./session.ts";

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
