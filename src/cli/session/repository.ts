import { openExisting, type RepositoryAccess } from "../../infrahub/mod.ts";
import { defaultCacheDirectory, type Repository } from "../../kloset/mod.ts";
import { PROGRAM, UsageError } from "../syntax/mod.ts";
import { passphraseProvider } from "./passphrase.ts";
import { s3Settings } from "./s3_settings.ts";
import type { Session } from "./session.ts";

/** Where indexes and what else can be had anew are kept between runs; undefined where nowhere. */
export function cacheDirectory(
  { context, globals }: Pick<Session, "context" | "globals">,
): string | undefined {
  return globals.cacheDir ?? defaultCacheDirectory(PROGRAM, context.env);
}

/**
 * How to reach the repository that the options name.
 *
 * @param missing error text when they name none
 */
export function repositoryAccess(session: Session, missing: string): RepositoryAccess {
  const { context, globals, reporter } = session;
  if (!globals.repo) throw new UsageError(missing);
  const directory = cacheDirectory(session);
  return {
    location: globals.repo,
    s3: s3Settings(session),
    engine: {
      signal: context.signal,
      hostname: context.hostname(),
      onWarning: (message) => reporter.warn(message),
      passphrase: passphraseProvider(session),
      ...(globals.jobs === undefined ? {} : { jobs: globals.jobs }),
      ...(directory === undefined ? {} : { cacheDirectory: directory }),
    },
  };
}

/** Opens the repository of a `snapshots` command, which needs no backend to be named. */
export async function openForSnapshots(session: Session, command: string): Promise<Repository> {
  const access = repositoryAccess(session, `--repo is required for snapshots ${command}`);
  // From then on these commands only read: their cache, which they may add to, is open by then.
  const repository = await openExisting({
    ...access,
    engine: { ...access.engine, holdsCache: true },
  });
  await session.giveUp(["write"]);
  return repository;
}
