import { messageOf } from "../../errors/mod.ts";
import { ArchiveBucket } from "../../infrahub/mod.ts";
import { UsageError } from "../syntax/mod.ts";
import { s3Settings } from "./s3_settings.ts";
import type { Session } from "./session.ts";

/** Where archives are kept: an absolute path. */
export function backupDirectory({ context, globals }: Session): string {
  const directory = globals.backupDir || context.env("BACKUP_DIR") || "infrahub_backups";
  return directory.startsWith("/") ? directory : `${context.workingDirectory()}/${directory}`;
}

/**
 * Looks whether an archive that was named is there.
 *
 * @throws {UsageError} when it is not
 */
export async function requireBackupFile(path: string): Promise<void> {
  try {
    await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(`backup file not found: ${path}`, { cause: error });
  }
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
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
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
