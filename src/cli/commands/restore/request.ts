import { loadPrivateKey } from "../../../archive/mod.ts";
import type { Neo4jEdition } from "../../../infrahub/mod.ts";
import type { KnownFacts } from "../../report/mod.ts";

/** What the options of `restore` say. */
export interface RestoreRequest {
  readonly backupId?: string;
  readonly snapshot?: string;
  /** Name of the deployment whose backup it is, where that is another one. */
  readonly fromDeployment?: string;
  /** File of a private key. */
  readonly decryptKey?: string;
  readonly neo4jEdition?: Neo4jEdition;
  readonly excludeTaskManager: boolean;
  readonly migrateFormat: boolean;
  readonly resetDeploymentId: boolean;
  readonly upgrade: boolean;
  /** On a host: empty Infrahub's database in Redis as well. */
  readonly flushCache: boolean;
  readonly force: boolean;
  readonly stallTimeoutMs: number;
  readonly sleepMs: number;
  /** Whether services that are started are waited for until they answer. */
  readonly waitsForServices: boolean;
  readonly isDryRun: boolean;
  /** Whether nobody is asked before data is replaced. */
  readonly isConfirmed: boolean;
  /** Whether the databases that are replaced stay, under another name. */
  readonly keepsOld: boolean;
  /** Gets what is known when the restore fails. */
  readonly facts: KnownFacts;
}

/** @throws {InvalidKeyError} when there is one that cannot be used */
export async function loadDecryptionKey(
  { decryptKey }: RestoreRequest,
): Promise<CryptoKey | undefined> {
  return decryptKey === undefined ? undefined : await loadPrivateKey(decryptKey);
}
