import { type CommandInput, type CommandStream, formatDuration } from "../../environment/mod.ts";
import { asNeo4j } from "./_as_neo4j.ts";
import { recordPath } from "../component.ts";
import {
  attempt,
  type ComponentTarget,
  DATABASE,
  type DatabaseCredentials,
  type Deployment,
  DeploymentError,
  makeWorkDirectory,
  measureDirectory,
  requireFreeSpace,
  type UndoJournal,
  WORK_PARENT,
  type WorkDirectory,
} from "../deployment/mod.ts";
import { checkNeo4jDatabaseName } from "./cypher.ts";
import {
  type EnterpriseRestoreOptions,
  isCluster,
  restoreCluster,
  restoreSingle,
} from "./enterprise_restore.ts";
import type { ComponentSource, OpenSource } from "../dump/mod.ts";

/** Which parts of users and roles go into an Enterprise backup. */
export const METADATA_CHOICES = ["all", "none", "users", "roles"] as const;

/** One of {@linkcode METADATA_CHOICES}. */
export type MetadataChoice = (typeof METADATA_CHOICES)[number];

/** How an Enterprise database is backed up. */
export interface EnterpriseBackupOptions {
  readonly metadata: MetadataChoice;
  /** Longest time in milliseconds without progress; 0 for no limit. */
  readonly stallTimeoutMs: number;
}

/** First path element of every entry; the Go tool looks for it. */
const PREFIX = "infrahubops";
/**
 * With these the archives of equal files are equal. Every backup writes all its files anew: with
 * their times, each part of the archive in which a file begins would be stored again. Nobody needs
 * times and owners; a restore gives everything to `neo4j`. Other formats than this one have more
 * times in them.
 */
const REPRODUCIBLE_TAR = [
  "--sort=name",
  "--format=gnu",
  "--mtime=@0",
  "--owner=0",
  "--group=0",
  "--numeric-owner",
];
/** The copy is as large as the store plus what is written while it is made. */
const SPACE_FACTOR = 1.1;

/**
 * The online backup of an Enterprise database as a tar: `neo4j-admin` writes it to a work directory
 * first, which is why it needs space there; {@linkcode checkEnterpriseBackupSpace}.
 */
export function neo4jEnterpriseSource(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  options: EnterpriseBackupOptions,
): ComponentSource {
  return {
    component: "neo4j",
    recordPath: recordPath("neo4j", "enterprise"),
    open: (signal) => openBackup({ ...deployment, signal }, credentials, journal, options),
  };
}

/**
 * Says how much space the backup needs inside the database's container, and refuses when there is
 * less.
 *
 * @param storeBytes size of the database's store
 * @throws {DeploymentRefusedError} when there is too little
 */
export async function checkEnterpriseBackupSpace(
  deployment: Deployment,
  storeBytes: number,
): Promise<void> {
  await requireFreeSpace(
    deployment,
    DATABASE,
    WORK_PARENT,
    Math.ceil(storeBytes * SPACE_FACTOR),
    "the Neo4j backup",
  );
}

/**
 * Says how much space the unpacked backup needs inside the database's container, and refuses when
 * there is less.
 *
 * @param bytes size of the backup's tar
 * @throws {DeploymentRefusedError} when there is too little
 */
export async function checkEnterpriseRestoreSpace(
  deployment: Deployment,
  bytes: number,
): Promise<void> {
  await requireFreeSpace(deployment, DATABASE, WORK_PARENT, bytes, "the unpacked Neo4j backup");
}

async function openBackup(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  { metadata, stallTimeoutMs }: EnterpriseBackupOptions,
): Promise<OpenSource> {
  const { environment, reporter, signal } = deployment;
  const database = checkNeo4jDatabaseName(credentials.database);
  reporter.info("Backing up Neo4j database (Enterprise Edition online backup)...");
  const work = await makeWorkDirectory(deployment, journal, DATABASE);
  let stream: CommandStream;
  try {
    const path = `${work.path}/${PREFIX}`;
    await attempt(
      deployment,
      "failed to prepare neo4j backup directory",
      () => environment.run(DATABASE, ["mkdir", path], { signal }),
    );
    await attempt(
      deployment,
      "failed to backup neo4j",
      () =>
        whileGrowing(deployment, path, stallTimeoutMs, (growing) =>
          environment.run(DATABASE, [
            "neo4j-admin",
            "database",
            "backup",
            "--expand-commands",
            `--include-metadata=${metadata}`,
            "--compress=false",
            `--to-path=${path}`,
            database,
          ], { signal: growing, timeoutMs: 0 })),
    );
    const reproducible = await isGnuTar(deployment) ? REPRODUCIBLE_TAR : [];
    stream = await attempt(
      deployment,
      "failed to start neo4j enterprise stream",
      () =>
        environment.streamOut(
          DATABASE,
          ["tar", ...reproducible, "-cf", "-", "-C", work.path, PREFIX],
          { stallTimeoutMs, signal },
        ),
    );
  } catch (error) {
    await work.remove();
    throw error;
  }
  const finished = (async () => {
    try {
      await stream.finished;
    } finally {
      await work.remove();
    }
    reporter.info("Neo4j backup completed");
  })();
  // The reader of the stream meets the same error, and may never look at this promise.
  finished.catch(() => {});
  return { content: stream.stdout, finished };
}

/**
 * Opens an Enterprise database for restoring: what is written is a tar, unpacked in a work
 * directory. The database is not touched before all of it has arrived.
 *
 * @throws {DeploymentError} when the directory cannot be made
 */
export async function openNeo4jEnterpriseTarget(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  options: EnterpriseRestoreOptions,
): Promise<ComponentTarget> {
  const { environment, reporter, signal } = deployment;
  checkNeo4jDatabaseName(credentials.database);
  reporter.info("Restoring Neo4j database (Enterprise Edition)...");
  const work = await makeWorkDirectory(deployment, journal, DATABASE);
  const what = "failed to copy backup to container";
  let input: CommandInput;
  try {
    input = await attempt(
      deployment,
      what,
      () =>
        environment.streamIn(
          DATABASE,
          ["tar", "xf", "-", "-C", work.path],
          { stallTimeoutMs: options.stallTimeoutMs, signal },
        ),
    );
  } catch (error) {
    await work.remove();
    throw error;
  }
  return {
    write: (bytes) => attempt(deployment, what, () => input.write(bytes)),
    close: async () => {
      try {
        await attempt(deployment, what, () => input.close());
        await restoreFrom(deployment, credentials, journal, work, options);
      } finally {
        await work.remove();
      }
      reporter.info("Neo4j database restored");
    },
    // It is replaced in place: nothing is left of the old one.
    settle: () => Promise.resolve(),
    // It was replaced where it was.
    old: undefined,
    finish: () => Promise.resolve(),
    abort: async (reason) => {
      await input.abort(reason);
      await work.remove();
    },
  };
}

async function restoreFrom(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  work: WorkDirectory,
  options: EnterpriseRestoreOptions,
): Promise<void> {
  const { environment, signal } = deployment;
  const fromPath = await attempt(
    deployment,
    "failed to look at the unpacked backup",
    () => findBackup(deployment, work.path),
  );
  await attempt(
    deployment,
    "failed to change backup ownership",
    () => environment.run(DATABASE, ["chown", "-R", "neo4j:neo4j", work.path], { signal }),
  );
  const user = await attempt(deployment, "failed to restore neo4j", () => asNeo4j(deployment));
  const restore = await isCluster(deployment, credentials) ? restoreCluster : restoreSingle;
  await restore(deployment, credentials, journal, { ...options, fromPath, user });
}

/** The one directory in the archive, whatever its name; or all of it when there are several. */
async function findBackup({ environment, signal }: Deployment, path: string): Promise<string> {
  const output = await environment.run(DATABASE, ["ls", "-A", path], { signal });
  const names = output.split("\n").filter((name) => name !== "");
  if (names.length === 0) throw new DeploymentError("the archive was empty");
  return names.length === 1 ? `${path}/${names[0]}` : path;
}

async function isGnuTar({ environment, signal }: Deployment): Promise<boolean> {
  try {
    await environment.run(DATABASE, ["tar", ...REPRODUCIBLE_TAR, "--version"], { signal });
    return true;
  } catch {
    signal.throwIfAborted();
    return false; // The order of the directory, and its times, will do.
  }
}

/**
 * Does `action` while the directory that it writes to grows; a program that makes no progress for
 * too long is ended.
 */
async function whileGrowing<Value>(
  deployment: Deployment,
  path: string,
  stallTimeoutMs: number,
  action: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const { clock, signal } = deployment;
  if (stallTimeoutMs <= 0) return await action(signal);
  const stalled = new AbortController();
  const done = new AbortController();
  const watch = (async () => {
    let last: number | undefined;
    let changed = clock.now();
    while (true) {
      await clock.sleep(stallTimeoutMs / 4, done.signal);
      const size = await measureDirectory(
        { ...deployment, signal: done.signal },
        DATABASE,
        path,
      );
      if (size !== last) {
        last = size;
        changed = clock.now();
      } else if (clock.now() - changed >= stallTimeoutMs) {
        const limit = formatDuration(stallTimeoutMs);
        stalled.abort(new DeploymentError(`no progress for ${limit}`));
        return;
      }
    }
  })();
  // Ends with `done`, which is no failure.
  watch.catch(() => {});
  try {
    return await action(AbortSignal.any([signal, stalled.signal]));
  } catch (error) {
    stalled.signal.throwIfAborted();
    throw error;
  } finally {
    done.abort();
    await watch.catch(() => {});
  }
}
