import { messageOf } from "../../errors/mod.ts";
import {
  createRepository,
  type EngineOptions,
  openRepository,
  openStore,
  type Repository,
  RepositoryExistsError,
  RepositoryNotFoundError,
} from "../../kloset/mod.ts";
import type { S3Settings } from "../../s3/mod.ts";
import { RepositoryUnavailableError } from "../errors.ts";
import type { KnownRepositories, KnownRepository } from "./known_repositories.ts";
import type { Reporter } from "../reporter.ts";
import { formatLocalTime } from "../timestamp.ts";

/** Which repository, and how to work on it. */
export interface RepositoryAccess {
  /** Path or URI. */
  readonly location: string;
  readonly engine: EngineOptions;
  /** How S3 is reached. @default by the standard AWS variables and files */
  readonly s3?: S3Settings;
}

/** Which repository is written to. */
export interface TargetAccess extends RepositoryAccess {
  /** Whether it has to be encrypted. */
  readonly encrypt: boolean;
  /** Whether a passphrase was given for it in particular: then it must not be created without. */
  readonly hasPassphrase: boolean;
  /**
   * Whether somebody has asked for a new repository where there is none.
   *
   * @default {false}
   */
  readonly init?: boolean;
  /**
   * How long in milliseconds it is waited for a maintenance that keeps others from writing.
   *
   * @default {0}
   */
  readonly lockPatienceMs?: number | undefined;
  /** What this host has written to before. @default nothing is known */
  readonly known?: KnownRepositories | undefined;
}

/**
 * Opens an existing repository.
 *
 * @throws {RepositoryUnavailableError} with the reason, whatever it is
 */
export async function openExisting(access: RepositoryAccess): Promise<Repository> {
  try {
    return await openRepository(openStore(access.location, access.s3), access.engine);
  } catch (error) {
    throw unavailable("open", access, error);
  }
}

/**
 * Opens a repository, and creates it when nothing is there at all, which is told in a warning: it may
 * be a slip; when another run does so at the same time, both use the same. Any other reason why it
 * cannot be opened is an error: a new repository next to, or instead of, one that cannot be read at the
 * moment would hide the backups in it. So is one that was there and is not any more.
 *
 * @throws {RepositoryUnavailableError} with the reason
 * @throws {LockedError} a maintenance keeps others from writing: known before a service is stopped for it
 */
export async function openOrCreate(
  access: TargetAccess,
  reporter: Reporter,
): Promise<Repository> {
  const before = await knownBefore(access);
  const repository = await openOrMake(access, before, reporter);
  const { id, location } = repository;
  try {
    await repository.waitForMaintenance({
      patienceMs: access.lockPatienceMs ?? 0,
      signal: access.engine.signal,
      onWait: (message) => reporter.warn(message),
    });
  } catch (error) {
    await repository.close();
    throw error;
  }
  if (before !== undefined && before.id !== id && !access.init) {
    reporter.warn(
      `The repository at ${access.location} is another one than on ` +
        `${formatLocalTime(before.usedAt)}: its id is ${id}, and was ${before.id}. ` +
        "Is another file system mounted there?",
    );
  }
  await access.known?.remember({ location, id, usedAt: new Date() });
  return repository;
}

/** What this host knows of the location: asked before a run beside this one may tell it something. */
async function knownBefore(access: TargetAccess): Promise<KnownRepository | undefined> {
  try {
    return await access.known?.find(openStore(access.location, access.s3).location);
  } catch (error) {
    throw unavailable("open", access, error);
  }
}

async function openOrMake(
  access: TargetAccess,
  before: KnownRepository | undefined,
  reporter: Reporter,
): Promise<Repository> {
  try {
    return await openTarget(access);
  } catch (error) {
    if (!(error instanceof RepositoryNotFoundError)) throw unavailable("open", access, error);
  }
  try {
    if (before !== undefined && !access.init) {
      throw new RepositoryUnavailableError(
        `there is none any more; repository ${before.id} was there on ` +
          `${formatLocalTime(before.usedAt)}: is its mount missing? --init makes a new one`,
      );
    }
    return await createTarget(access, reporter);
  } catch (error) {
    if (!(error instanceof RepositoryExistsError)) throw unavailable("create", access, error);
  }
  reporter.info(`Another run has created the repository meanwhile: ${access.location}`);
  try {
    return await openTarget(access);
  } catch (error) {
    throw unavailable("open", access, error);
  }
}

async function openTarget(access: TargetAccess): Promise<Repository> {
  const repository = await openRepository(openStore(access.location, access.s3), access.engine);
  if (!access.encrypt || repository.isEncrypted) return repository;
  await repository.close();
  throw new RepositoryUnavailableError(
    "it is not encrypted, and cannot be encrypted any more; use another repository",
  );
}

async function createTarget(access: TargetAccess, reporter: Reporter): Promise<Repository> {
  const { encrypt } = access;
  if (access.hasPassphrase && !encrypt) {
    throw new RepositoryUnavailableError(
      "a passphrase was given, but not --encrypt: nothing would be encrypted",
    );
  }
  reporter.info(`Creating new Plakar repository: ${access.location}`);
  const store = openStore(access.location, access.s3);
  const repository = await createRepository(store, { ...access.engine, encrypt });
  reporter.info(`Plakar repository created: ${access.location}`);
  if (!access.init) {
    reporter.warn(
      `NEW REPOSITORY: there was none at ${access.location}, and it holds this backup only. If ` +
        "there should have been one, look for its mount and at the spelling",
    );
  }
  if (encrypt) {
    reporter.warn(
      "The repository is encrypted: whoever loses its passphrase loses the backups in it. " +
        "Keep the passphrase where it outlives this host",
    );
  }
  return repository;
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
