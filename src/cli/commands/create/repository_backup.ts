import type { Repository } from "../../../kloset/mod.ts";
import {
  type ComponentSource,
  createBackup,
  type CreateBackupOptions,
  type CreatedBackup,
  type Neo4jEdition,
  openOrCreate,
} from "../../../infrahub/mod.ts";
import { VERSION } from "../../process/mod.ts";
import type { CommandResult } from "../../report/mod.ts";
import { repositoryAccess, type Session } from "../../session/mod.ts";
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
    | "resume"
    | "sideBySide"
    | "deployment"
  > {
  readonly sources: readonly ComponentSource[];
  readonly neo4jEdition: Neo4jEdition;
}

/**
 * Opens the repository that the options name, or creates it.
 *
 * @param encrypt whether it has to be encrypted
 */
export async function openTarget(session: Session, encrypt: boolean): Promise<Repository> {
  const access = repositoryAccess(session, "--repo is required when using plakar backend");
  const hasPassphrase = session.isGiven("passphraseFile");
  return await openOrCreate({ ...access, encrypt, hasPassphrase }, session.reporter);
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

/**
 * Opens the repository and stores the sources in it as one backup.
 *
 * @param encrypt whether the repository has to be encrypted
 */
export async function backUpToRepository(
  session: Session,
  request: BackupRequest,
  encrypt: boolean,
): Promise<CommandResult> {
  const deployment = givenDeployment(session);
  await using repository = await openTarget(session, encrypt);
  const backup = await storeBackup(session, repository, {
    ...request,
    ...(deployment === undefined ? {} : { deployment }),
  });
  return repositoryResult(backup, repository.location, deployment);
}
