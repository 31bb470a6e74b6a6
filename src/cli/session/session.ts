import { openExisting, type Reporter, type RepositoryAccess } from "../../infrahub/mod.ts";
import { defaultCacheDirectory, type Repository, type S3Settings } from "../../kloset/mod.ts";
import type { CliContext } from "../process/mod.ts";
import type { ComponentMetrics } from "../report/mod.ts";
import { passphraseProvider } from "./passphrase.ts";
import { DEFAULT_S3_REGION, type GlobalOptions, PROGRAM, UsageError } from "../syntax/mod.ts";

/** What a command works with. */
export interface Session {
  readonly context: CliContext;
  readonly globals: GlobalOptions;
  readonly reporter: Reporter;
  /** The command that runs, such as `snapshots list`. */
  readonly command: string;
  /** Whether results are JSON. */
  readonly json: boolean;
  /** Whether a global option stands on the command line itself, and not in a variable. */
  readonly isGiven: (option: keyof GlobalOptions) => boolean;
  /** What the program exits with when it does not fail. */
  readonly exitWith: (code: number) => void;
  /** Takes what was done with each component, once it has been. */
  readonly completed: (components: readonly ComponentMetrics[]) => void;
}

/** Gives a command its session; to be called once its options are known. */
export type SessionProvider = () => Session;

/** Writes the result of a command to standard output, as one line of JSON. */
export function writeJson(
  { context, command }: Pick<Session, "context" | "command">,
  result: Readonly<Record<string, unknown>>,
): void {
  context.writeOut(JSON.stringify({ type: "result", command, ...result }) + "\n");
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
    s3: s3Settings(session),
    engine: {
      signal: context.signal,
      onWarning: (message) => reporter.warn(message),
      passphrase: passphraseProvider(session),
      ...(globals.jobs === undefined ? {} : { jobs: globals.jobs }),
      ...(cacheDirectory === undefined ? {} : { cacheDirectory }),
    },
  };
}

/** How S3 is reached, by the options; the standard AWS variables fill what they leave open. */
export function s3Settings({ context, globals, isGiven, reporter }: Session): S3Settings {
  const { s3Endpoint, s3Region } = globals;
  const isRegionGiven = s3Region !== DEFAULT_S3_REGION || isGiven("s3Region") ||
    Boolean(context.env("INFRAHUB_S3_REGION"));
  return {
    ...(s3Endpoint ? { endpoint: s3Endpoint } : {}),
    ...(isRegionGiven && s3Region ? { region: s3Region } : {}),
    env: context.env,
    onWarning: (message) => reporter.warn(message),
    signal: context.signal,
  };
}

/** Opens the repository of a `snapshots` command, which needs no backend to be named. */
export async function openForSnapshots(session: Session, command: string): Promise<Repository> {
  return await openExisting(
    repositoryAccess(session, `--repo is required for snapshots ${command}`),
  );
}

/**
 * Warns of a repository on the command line that nothing goes to: the default backend, as in the Go
 * tool, makes an archive whatever `--repo` says. A variable may be set for other commands.
 */
export function warnOfUnusedRepository(session: Session, backend: "tarball" | "plakar"): void {
  if (backend === "plakar" || !session.isGiven("repo")) return;
  session.reporter.warn(
    "--repo is not used by the tarball backend: the backup goes into an archive. Use --backend plakar",
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

/** Where archives are kept: an absolute path. */
export function backupDirectory({ context, globals }: Session): string {
  const directory = globals.backupDir || context.env("BACKUP_DIR") || "infrahub_backups";
  return directory.startsWith("/") ? directory : `${context.workingDirectory()}/${directory}`;
}
