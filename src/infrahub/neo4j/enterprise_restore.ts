import { CommandFailedError, type ExecOptions } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { findNeo4jDirectories } from "./_directories.ts";
import {
  attempt,
  DATABASE,
  type DatabaseCredentials,
  type Deployment,
  DeploymentError,
  poll,
  type UndoJournal,
} from "../deployment/mod.ts";
import { cypherSecrets, parseRows, quoteCypherName, quoteCypherText, runCypher } from "./cypher.ts";

/** How an Enterprise backup is restored. */
export interface EnterpriseRestoreOptions {
  /** Longest wait in milliseconds for bytes to be taken; 0 for no limit. */
  readonly stallTimeoutMs: number;
  /** Whether the store is converted to block format afterwards. */
  readonly migrateFormat: boolean;
  /**
   * Milliseconds that a database may take to come online.
   *
   * @default {600000}
   */
  readonly onlineTimeoutMs?: number;
  /** Told before the database in use is replaced: until then it is as it was. */
  readonly onReplace?: () => void;
  /** Told when it has been: from then on the old data is nowhere. */
  readonly onReplaced?: () => Promise<void>;
}

/** A backup that lies unpacked beside the server. */
export interface UnpackedBackup extends EnterpriseRestoreOptions {
  /** Path of it, inside the service. */
  readonly fromPath: string;
  /** User that writes the database's files. */
  readonly user: Pick<ExecOptions, "user">;
}

const ONLINE_TIMEOUT_MS = 600_000;
/** A database whose files were only half replaced never comes online: nobody waits long for it. */
const UNDO_ONLINE_TIMEOUT_MS = 120_000;
const ONLINE_INTERVAL_MS = 2_000;
/** Where nothing says how a database was spread. */
const DEFAULT_TOPOLOGY = "3 PRIMARIES";
/** Runs the script that `neo4j-admin database restore` wrote, where the backup had metadata. */
const METADATA_SCRIPT = 'if [ -e "$1" ]; then cypher-shell -d system --param "$2" <"$1"; fi';

/** Whether Neo4j has several servers; false when that cannot be found out, with a warning. */
export async function isCluster(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<boolean> {
  try {
    const output = await runCypher(deployment, credentials, {
      query: "SHOW SERVERS YIELD * RETURN count(*) as serverCount",
    });
    return Number(parseRows(output).at(-1)?.[0]) > 1;
  } catch (error) {
    deployment.signal.throwIfAborted();
    deployment.reporter.warn(
      `Could not count the Neo4j servers, taking it for a single one: ${messageOf(error)}`,
    );
    return false;
  }
}

/**
 * Replaces the database of a single server. When a step fails, the database is started again: with
 * the old data where the restore had not begun.
 *
 * @throws {DeploymentError} when a step fails
 */
export async function restoreSingle(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  backup: UnpackedBackup,
): Promise<void> {
  const name = quoteCypherName(credentials.database);
  const script = await findMetadataScript(deployment, credentials);
  await removeOldScript(deployment, script, backup);
  let isRestored = false;
  const { database } = credentials;
  const start = await journal.push({
    name: `start Neo4j database ${database}`,
    leaves: { kind: "replaced-neo4j", database, step: "stopped" },
    run: async (undoSignal) => {
      const undo = { ...deployment, signal: undoSignal };
      await attempt(
        undo,
        "failed to start neo4j database",
        () => runCypher(undo, credentials, { query: `start database ${name}` }),
      );
      // Even when the run has been ended: what it leaves behind has to answer.
      const { onlineTimeoutMs = ONLINE_TIMEOUT_MS } = backup;
      const timeoutMs = isRestored ? onlineTimeoutMs : UNDO_ONLINE_TIMEOUT_MS;
      await waitUntilOnline(undo, credentials, timeoutMs);
    },
    timeoutMs: 0, // See above.
  });
  await attempt(
    deployment,
    "failed to stop neo4j database",
    () => runCypher(deployment, credentials, { query: `stop database ${name}` }),
  );
  await start.leaves({ kind: "replaced-neo4j", database, step: "replacing" });
  backup.onReplace?.();
  await restoreFiles(deployment, credentials, backup);
  await start.leaves({ kind: "replaced-neo4j", database, step: "replaced" });
  await backup.onReplaced?.();
  await restoreMetadata(deployment, credentials, script, backup);
  isRestored = true;
  await start.perform();
}

/**
 * Replaces a database of a cluster: this server gets the files, the others copy from it. Between
 * dropping and creating, the database is not there; the error says so.
 *
 * @throws {DeploymentError} when a step fails, or the database does not come online in time
 */
export async function restoreCluster(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  backup: UnpackedBackup,
): Promise<void> {
  const { reporter, signal } = deployment;
  const { database } = credentials;
  const name = quoteCypherName(credentials.database);
  // All that can be found out before the database is dropped.
  const seeder = await findThisServer(deployment, credentials);
  const topology = await findTopology(deployment, credentials);
  const script = await findMetadataScript(deployment, credentials);
  await removeOldScript(deployment, script, backup);
  const drop = await journal.push({
    name: `restore Neo4j database ${database} again: nothing else brings it back`,
    leaves: { kind: "replaced-neo4j", database, step: "replacing" },
    run: () => Promise.reject(new DeploymentError("it has been dropped")),
  });
  backup.onReplace?.();
  try {
    await runCypher(deployment, credentials, { query: `STOP DATABASE ${name}` });
  } catch (error) {
    signal.throwIfAborted();
    reporter.warn(`Failed to stop database before dropping it: ${messageOf(error)}`);
  }
  await attempt(
    deployment,
    "failed to drop database",
    () => runCypher(deployment, credentials, { query: `DROP DATABASE ${name} IF EXISTS` }),
  );
  try {
    await restoreFiles(deployment, credentials, backup);
    await attempt(
      deployment,
      "failed to create database with seeder",
      () => createSeeded(deployment, credentials, topology, seeder),
    );
  } catch (error) {
    signal.throwIfAborted();
    throw new DeploymentError(
      `${messageOf(error)}; database ${credentials.database} has been dropped and is not back yet`,
      { cause: error },
    );
  }
  await drop.leaves({ kind: "replaced-neo4j", database, step: "replaced" });
  await backup.onReplaced?.();
  await waitUntilOnline(deployment, credentials, backup.onlineTimeoutMs ?? ONLINE_TIMEOUT_MS);
  await restoreMetadata(deployment, credentials, script, backup);
  await drop.forget();
}

/**
 * Starts a database that another process has stopped to replace it, and waits until it is online.
 *
 * @throws {DeploymentError} when it does not come online in time
 */
export async function startReplacedDatabase(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  timeoutMs: number,
): Promise<void> {
  await waitForServer(deployment, credentials, timeoutMs);
  await attempt(
    deployment,
    "failed to start neo4j database",
    () =>
      runCypher(deployment, credentials, {
        query: `start database ${quoteCypherName(credentials.database)}`,
      }),
  );
  await waitUntilOnline(deployment, credentials, timeoutMs);
}

/** Waits until the server itself answers: the database may be down. */
async function waitForServer(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  timeoutMs: number,
): Promise<void> {
  await poll(deployment, {
    failure: "Neo4j did not become ready",
    timeoutMs,
    intervalMs: ONLINE_INTERVAL_MS,
    probe: async (probe) => {
      await runCypher(probe, credentials, {
        query: "SHOW DATABASES YIELD name RETURN count(name)",
      });
      return { done: true, value: undefined };
    },
  });
}

async function restoreFiles(
  deployment: Deployment,
  { database }: DatabaseCredentials,
  { fromPath, migrateFormat, user }: UnpackedBackup,
): Promise<void> {
  const { environment, signal } = deployment;
  await attempt(deployment, "failed to restore neo4j", () =>
    environment.run(DATABASE, [
      "neo4j-admin",
      "database",
      "restore",
      "--expand-commands",
      "--overwrite-destination=true",
      `--from-path=${fromPath}`,
      database,
    ], { ...user, signal, timeoutMs: 0 }));
  if (!migrateFormat) return;
  await attempt(
    deployment,
    "failed to migrate neo4j to block format",
    () =>
      environment.run(DATABASE, [
        "neo4j-admin",
        "database",
        "migrate",
        "--expand-commands",
        "--to-format=block",
        database,
      ], { ...user, signal, timeoutMs: 0 }),
  );
}

/** A script that an earlier restore left would be taken for one of this backup, which may have none. */
async function removeOldScript(
  deployment: Deployment,
  script: string,
  { user }: UnpackedBackup,
): Promise<void> {
  await attempt(
    deployment,
    "failed to remove the metadata script of an earlier restore",
    () =>
      deployment.environment.run(DATABASE, ["rm", "-f", script], {
        ...user,
        signal: deployment.signal,
      }),
  );
}

async function restoreMetadata(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  script: string,
  { user }: UnpackedBackup,
): Promise<void> {
  const parameter = `database => ${quoteCypherText(credentials.database)}`;
  await attempt(deployment, "failed to restore neo4j metadata", () =>
    deployment.environment.run(
      DATABASE,
      ["sh", "-c", METADATA_SCRIPT, "sh", script, parameter],
      { ...user, secrets: cypherSecrets(credentials), signal: deployment.signal, timeoutMs: 0 },
    ));
}

/** Where `neo4j-admin database restore` leaves it. */
async function findMetadataScript(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<string> {
  const { data } = await findNeo4jDirectories(deployment, credentials);
  return `${data}/scripts/${credentials.database.toLowerCase()}/restore_metadata.cypher`;
}

/** Id of the server that commands reach: the one that has the files. */
async function findThisServer(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<string> {
  const output = await attempt(
    deployment,
    "failed to find current server ID",
    () =>
      runCypher(deployment, credentials, {
        query: "CALL dbms.cluster.statusCheck([]) YIELD requester, serverId " +
          "RETURN requester, serverId",
      }),
  );
  const id = parseRows(output).find(([requester]) => requester?.toLowerCase() === "true")?.[1];
  if (!id) {
    throw new DeploymentError(
      "failed to find current server ID (no requester=true found in output)",
    );
  }
  return id;
}

/** How many copies the database had, as `CREATE DATABASE` wants it. */
async function findTopology(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<string> {
  const name = quoteCypherName(credentials.database);
  try {
    const output = await runCypher(deployment, credentials, {
      query: `SHOW DATABASE ${name} YIELD requestedPrimariesCount, requestedSecondariesCount ` +
        "RETURN requestedPrimariesCount, requestedSecondariesCount LIMIT 1",
    });
    const [primaries = 0, secondaries = 0] = (parseRows(output)[0] ?? []).map(Number);
    if (primaries > 0) {
      const part = (count: number, word: string) => `${count} ${word}${count === 1 ? "Y" : "IES"}`;
      return part(primaries, "PRIMAR") +
        (secondaries > 0 ? ` ${part(secondaries, "SECONDAR")}` : "");
    }
  } catch (error) {
    deployment.signal.throwIfAborted();
    deployment.reporter.debug(`Could not read the topology: ${messageOf(error)}`);
  }
  deployment.reporter.warn(
    `Could not find out how database ${credentials.database} was spread; ` +
      `creating it with ${DEFAULT_TOPOLOGY}`,
  );
  return DEFAULT_TOPOLOGY;
}

async function createSeeded(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  topology: string,
  seeder: string,
): Promise<void> {
  const create = (option: string) =>
    runCypher(deployment, credentials, {
      query: `CREATE DATABASE ${quoteCypherName(credentials.database)}\nTOPOLOGY ${topology}\n` +
        `OPTIONS {\n  existingData: 'use',\n  ${option}: ${quoteCypherText(seeder)}\n}`,
      timeoutMs: 0,
    });
  try {
    await create("existingDataSeedInstance");
  } catch (error) {
    // Newer versions know it by another name, and name what they do not know in their text alone.
    const renamed = error instanceof CommandFailedError &&
      error.stderrTail.includes("existingDataSeedInstance");
    if (!renamed) throw error;
    await create("existingDataSeedServer");
  }
}

async function waitUntilOnline(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  timeoutMs: number,
): Promise<void> {
  const name = quoteCypherName(credentials.database);
  await poll(deployment, {
    failure: `Neo4j database ${credentials.database} did not come online`,
    timeoutMs,
    intervalMs: ONLINE_INTERVAL_MS,
    probe: async (probe) => {
      const output = await runCypher(probe, credentials, {
        query: `SHOW DATABASE ${name} YIELD currentStatus RETURN currentStatus`,
      });
      const states = parseRows(output).map(([state = ""]) => state);
      // A server that is away says nothing about the others.
      const done = states.includes("online") &&
        states.every((state) => state === "online" || state === "unknown");
      return done
        ? { done: true, value: undefined }
        : { done: false, reason: `it is ${states.join(", ") || "not there"}` };
    },
  });
}
