import { DEFAULT_S3_REGION, type GlobalOptions, UsageError } from "../syntax/mod.ts";
import type { Session } from "./session.ts";

/** Where a backup goes: into an archive, or into a repository. */
export type Backend = "tarball" | "plakar";

/**
 * Checks the options that choose the backend.
 *
 * @param s3Upload whether an upload is asked for
 * @throws {UsageError} in the order and wording of the Go tool
 */
export function requireKnownBackend(
  globals: GlobalOptions,
  s3Upload = false,
): Backend {
  const { backend } = globals;
  if (backend !== "tarball" && backend !== "plakar") {
    throw new UsageError(`unknown backend: ${backend}, expected 'tarball' or 'plakar'`);
  }
  if (backend === "tarball") {
    if (globals.passphraseFile === undefined) return backend;
    throw new UsageError(
      "--passphrase-file is for repositories: use --backend plakar, or --encrypt-key for an archive",
    );
  }
  if (!globals.repo) throw new UsageError("--repo is required when using plakar backend");
  // Endpoint and region of a repository in S3 are needed all the same: the Go tool has no other way
  // to name a region, and none that works to ask for plain HTTP.
  const reachesRepository = globals.repo.startsWith("s3://");
  const s3 = s3Upload || globals.s3Bucket || globals.s3Prefix ||
    (!reachesRepository &&
      (globals.s3Endpoint ||
        (globals.s3Region !== "" && globals.s3Region !== DEFAULT_S3_REGION)));
  if (s3) {
    throw new UsageError(
      "--s3-upload and related S3 flags cannot be used with plakar backend; " +
        "use --repo s3://... instead",
    );
  }
  return backend;
}

/**
 * Warns of a repository on the command line that nothing goes to: the default backend, as in the Go
 * tool, makes an archive whatever `--repo` says. A variable may be set for other commands.
 */
export function warnOfUnusedRepository(session: Session, backend: Backend): void {
  if (backend === "plakar" || !session.isGiven("repo")) return;
  session.reporter.warn(
    "--repo is not used by the tarball backend: the backup goes into an archive. Use --backend plakar",
  );
}
