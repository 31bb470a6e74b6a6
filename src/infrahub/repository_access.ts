import {
  createRepository,
  type EngineOptions,
  openRepository,
  openStore,
  type Repository,
  RepositoryNotFoundError,
} from "../kloset/mod.ts";
import { messageOf, RepositoryUnavailableError } from "./errors.ts";
import type { Reporter } from "./reporter.ts";

/** Which repository, and how to work on it. */
export interface RepositoryAccess {
  /** Path or URI. */
  readonly location: string;
  readonly engine: EngineOptions;
}

/**
 * Opens an existing repository.
 *
 * @throws {RepositoryUnavailableError} with the reason, whatever it is
 */
export async function openExisting(access: RepositoryAccess): Promise<Repository> {
  try {
    return await openRepository(openStore(access.location), access.engine);
  } catch (error) {
    throw unavailable("open", access, error);
  }
}

/**
 * Opens a repository, and creates it when nothing is there at all. Any other reason why it cannot
 * be opened is an error: a new repository next to, or instead of, one that cannot be read at the
 * moment would hide the backups in it.
 *
 * @throws {RepositoryUnavailableError} with the reason
 */
export async function openOrCreate(
  access: RepositoryAccess,
  reporter: Reporter,
): Promise<Repository> {
  try {
    return await openRepository(openStore(access.location), access.engine);
  } catch (error) {
    if (!(error instanceof RepositoryNotFoundError)) throw unavailable("open", access, error);
  }
  reporter.info(`Creating new Plakar repository: ${access.location}`);
  try {
    const repository = await createRepository(openStore(access.location), access.engine);
    reporter.info(`Plakar repository created: ${access.location}`);
    return repository;
  } catch (error) {
    throw unavailable("create", access, error);
  }
}

function unavailable(verb: string, access: RepositoryAccess, error: unknown): Error {
  const { signal } = access.engine;
  if (signal?.aborted) return signal.reason;
  // The engine's messages begin with the same words.
  const reason = messageOf(error).replace(/^Cannot \w+ repository "[^"]*": /, "");
  return new RepositoryUnavailableError(
    `failed to ${verb} plakar repository ${access.location}: ${reason}`,
    { cause: error },
  );
}
