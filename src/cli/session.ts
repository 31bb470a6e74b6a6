import type { Reporter, RepositoryAccess } from "../infrahub/mod.ts";
import { openExisting } from "../infrahub/mod.ts";
import { defaultCacheDirectory, type Repository } from "../kloset/mod.ts";
import type { CliContext } from "./context.ts";
import { type GlobalOptions, PROGRAM } from "./root_command.ts";
import { UsageError } from "./usage_error.ts";

/** What a command works with. */
export interface Session {
  readonly context: CliContext;
  readonly globals: GlobalOptions;
  readonly reporter: Reporter;
  /** Whether results are JSON. */
  readonly json: boolean;
  /** Whether a global option stands on the command line itself, and not in a variable. */
  readonly isGiven: (option: keyof GlobalOptions) => boolean;
  /** What the program exits with when it does not fail. */
  readonly exitWith: (code: number) => void;
}

/** Gives a command its session; to be called once its options are known. */
export type SessionProvider = () => Session;

/** Writes a JSON result to standard output. */
export function writeJson(session: Session, result: unknown): void {
  session.context.writeOut(JSON.stringify(result, null, 2) + "\n");
}

/**
 * How to reach the repository that the options name.
 *
 * @param missing error text when they name none
 */
export function repositoryAccess(session: Session, missing: string): RepositoryAccess {
  const { context, globals, reporter } = session;
  if (!globals.repo) throw new UsageError(missing);
  const cacheDirectory = globals.cacheDir ?? defaultCacheDirectory(PROGRAM, context.env);
  return {
    location: globals.repo,
    engine: {
      signal: context.signal,
      onWarning: (message) => reporter.warn(message),
      ...(globals.jobs === undefined ? {} : { jobs: globals.jobs }),
      ...(cacheDirectory === undefined ? {} : { cacheDirectory }),
    },
  };
}

/** Opens the repository of a `snapshots` command, which needs no backend to be named. */
export async function openForSnapshots(session: Session, command: string): Promise<Repository> {
  return await openExisting(
    repositoryAccess(session, `--repo is required for snapshots ${command}`),
  );
}

/**
 * Checks the options that choose the backend.
 *
 * @param s3Upload whether an upload is asked for
 * @throws {UsageError} in the order and wording of the Go tool
 */
export function requireKnownBackend(
  globals: GlobalOptions,
  s3Upload = false,
): "tarball" | "plakar" {
  const { backend } = globals;
  if (backend !== "tarball" && backend !== "plakar") {
    throw new UsageError(`unknown backend: ${backend}, expected 'tarball' or 'plakar'`);
  }
  if (backend === "tarball") return backend;
  if (!globals.repo) throw new UsageError("--repo is required when using plakar backend");
  const s3 = s3Upload || globals.s3Bucket || globals.s3Prefix || globals.s3Endpoint ||
    (globals.s3Region !== "" && globals.s3Region !== "us-east-1");
  if (s3) {
    throw new UsageError(
      "--s3-upload and related S3 flags cannot be used with plakar backend; " +
        "use --repo s3://... instead",
    );
  }
  return backend;
}

/** Where archives are kept: an absolute path. */
export function backupDirectory({ context, globals }: Session): string {
  const directory = globals.backupDir || context.env("BACKUP_DIR") || "infrahub_backups";
  return directory.startsWith("/") ? directory : `${context.workingDirectory()}/${directory}`;
}
