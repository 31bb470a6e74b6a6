import { Option } from "@commander-js/extra-typings";
import type { Repository } from "../../../kloset/mod.ts";
import {
  type ComponentSource,
  createBackup,
  type CreateBackupOptions,
  type CreatedBackup,
  KnownRepositories,
  type Neo4jEdition,
  openOrCreate,
} from "../../../infrahub/mod.ts";
import { VERSION } from "../../process/mod.ts";
import type { CommandResult } from "../../report/mod.ts";
import { repositoryAccess, type Session, stateDirectory } from "../../session/mod.ts";
import { repositoryResult } from "./backup_result.ts";
import { givenDeployment } from "./own_backups.ts";

/** What the `create` commands have found out by themselves. */
export interface BackupRequest extends
  Pick<
    CreateBackupOptions,
    | "sources"
    | "neo4jEdition"
    | "infrahubVersion"
    | "redacted"
    | "data"
    | "resume"
    | "sideBySide"
    | "deployment"
    | "rawDumps"
  > {
  readonly sources: readonly ComponentSource[];
  readonly neo4jEdition: Neo4jEdition;
}

/** How the repository that a backup goes to has to be. */
export interface TargetChoice {
  /** Whether it has to be encrypted. */
  readonly encrypt: boolean;
  /** Whether a new one may take the place of one that is not there any more. */
  readonly init: boolean;
}

/** `--init`. */
export function initOption() {
  // No variable: exported for good, it would make an empty repository whenever a mount is missing.
  return new Option(
    "--init",
    "make a new repository where there is none, also where this host has used one before",
  );
}

/** Opens the repository that the options name, or creates it. */
export async function openTarget(
  session: Session,
  { encrypt, init }: TargetChoice,
): Promise<Repository> {
  const access = repositoryAccess(session, "--repo is required when using plakar backend");
  const hasPassphrase = session.isGiven("passphraseFile");
  const directory = stateDirectory(session.context.env);
  const known = directory === undefined
    ? undefined
    : new KnownRepositories(directory, session.reporter);
  return await openOrCreate(
    {
      ...access,
      encrypt,
      hasPassphrase,
      init,
      known,
      lockPatienceMs: session.globals.waitLock,
    },
    session.reporter,
  );
}

/** Stores the sources as one backup. */
export async function storeBackup(
  { context, reporter }: Session,
  repository: Repository,
  request: BackupRequest,
): Promise<CreatedBackup> {
  return await createBackup({
    ...request,
    repository,
    toolVersion: VERSION,
    hostname: context.hostname(),
    now: context.now(),
    reporter,
    signal: context.signal,
  });
}

/** Opens the repository and stores the sources in it as one backup. */
export async function backUpToRepository(
  session: Session,
  request: BackupRequest,
  target: TargetChoice,
): Promise<CommandResult> {
  const deployment = givenDeployment(session);
  await using repository = await openTarget(session, target);
  const backup = await storeBackup(session, repository, {
    ...request,
    ...(deployment === undefined ? {} : { deployment }),
  });
  return repositoryResult(backup, repository.location, deployment);
}
