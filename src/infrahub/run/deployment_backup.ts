import type { Neo4jEdition } from "../component.ts";
import type { DataFacts } from "../data_facts.ts";
import {
  type Deployment,
  DeploymentRefusedError,
  detectInfrahubVersion,
  removeStaleLocks,
  SERVER,
  stopApplicationServices,
  UndoJournal,
  waitForService,
} from "../deployment/mod.ts";
import { requireAccess } from "./access.ts";
import { checkArchiveSpace } from "./archive_space.ts";
import { type ComponentSource, reframedSource, verifiedSource } from "../dump/mod.ts";
import {
  checkEnterpriseBackupSpace,
  checkRedaction,
  detectEdition,
  measureNeo4j,
  type MetadataChoice,
  neo4jCommunitySource,
  neo4jEnterpriseSource,
  readNeo4jVersions,
  redact,
  requireRedactionConfirmed,
} from "../neo4j/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { postgresSource } from "../postgres/mod.ts";
import { findLocalStorage, measureStorage, storageSource } from "../storage/mod.ts";
import type { Credentials } from "./credentials.ts";
import { tellCutOffTasks, waitForRunningTasks } from "../tasks/mod.ts";
import type { RunRecord } from "../unfinished/mod.ts";

/** What is missing of Infrahub in every backup is said in every backup. */
const WITHOUT_STORAGE =
  "Not in this backup: the objects that Infrahub keeps as files, artifacts and uploads, which " +
  "--with-storage adds; and checkouts of Git repositories, which Infrahub fetches again";

/** How a deployment is backed up. */
export interface DeploymentBackupOptions {
  readonly deployment: Deployment;
  readonly credentials: Credentials;
  /** Binding when given; otherwise Neo4j is asked. */
  readonly neo4jEdition?: Neo4jEdition;
  /** What an Enterprise backup holds besides the data. */
  readonly neo4jMetadata: MetadataChoice;
  readonly excludeTaskManager: boolean;
  /**
   * Back up the objects as well that Infrahub keeps as files.
   *
   * @default {false}
   */
  readonly withStorage?: boolean;
  /** Do not wait for running tasks; also confirms a redaction. */
  readonly force: boolean;
  /** Replace all attribute values in the live database first. */
  readonly redact: boolean;
  /** Longest wait for running tasks, in milliseconds; 0 for no limit. */
  readonly waitTimeoutMs: number;
  /** Longest wait for the next byte of a dump, in milliseconds; 0 for no limit. */
  readonly stallTimeoutMs: number;
  /**
   * Whether the dump of a Community database is stored without its own compression, so that it
   * shares with earlier ones what has not changed.
   *
   * @default {false}
   */
  readonly reframeDump?: boolean;
  /**
   * What is still missing of an incomplete backup, and its edition, which the deployment must still
   * have; everything is backed up when not given.
   */
  readonly resume?: { readonly missing: readonly string[]; readonly neo4jEdition: string };
  /** Directory on this host where an archive will be packed: the space is checked. */
  readonly archiveDirectory?: string;
  /**
   * How long the user may still think better of it before services are stopped, in milliseconds.
   *
   * @default {0}
   */
  readonly pauseMs?: number;
  /** Keeps what the backup would leave if it was killed. */
  readonly record?: RunRecord;
}

/** A deployment that is ready to be read. */
export interface ReadyDeployment {
  readonly neo4jEdition: Neo4jEdition;
  readonly infrahubVersion: string;
  /** Of what wrote the data that is wanted, as far as it was told. */
  readonly data: DataFacts;
  readonly redacted: boolean;
  /** Dumps in component order; each is verified while it is read. */
  readonly sources: readonly ComponentSource[];
  /** Whether the dumps may be made at the same time: the deployment stays up. */
  readonly sideBySide: boolean;
  /**
   * To be called once all dumps have been read: services that were stopped start again. A failure
   * only warns: it is tried again in the end, and counts then.
   */
  readonly release: () => Promise<void>;
}

/**
 * Makes a deployment ready for a backup, has `store` read its dumps, and puts everything back as it
 * was: on every way out, the interrupted one included.
 *
 * Whatever can be refused is refused before anything is touched.
 *
 * @throws {DeploymentRefusedError} when the deployment cannot be backed up as asked
 * @throws {UndoFailedError} when the backup was made but something could not be put back
 * @throws what `store` fails with
 */
export async function backUpDeployment<Result>(
  options: DeploymentBackupOptions,
  store: (ready: ReadyDeployment) => Promise<Result>,
): Promise<Result> {
  const { deployment, credentials, force } = options;
  const { reporter, clock, signal } = deployment;
  requireRedactionConfirmed(options);
  const neo4jEdition = await detectEdition(deployment, credentials.neo4j, {
    purpose: "backup",
    ...(options.neo4jEdition === undefined ? {} : { given: options.neo4jEdition }),
  });
  requireSameEdition(options, neo4jEdition);
  const wanted = wantedComponents(options);
  const needsNeo4j = wanted.has("neo4j");
  const isDowntime = needsNeo4j && neo4jEdition === "community";
  const postgres = await requireAccess(deployment, credentials, {
    neo4j: needsNeo4j,
    postgres: wanted.has("postgres"),
  });
  const storagePath = wanted.has("storage") ? await findLocalStorage(deployment) : undefined;
  if (options.resume === undefined && storagePath === undefined) reporter.info(WITHOUT_STORAGE);
  if (options.resume !== undefined && options.withStorage && storagePath === undefined) {
    reporter.warn("--with-storage ignored: a resumed backup gets what it lacks, and nothing else");
  }
  const size = needsNeo4j ? await measureNeo4j(deployment, credentials.neo4j) : undefined;
  if (isDowntime) await announceDowntime(deployment, options.pauseMs ?? 0);
  else if (size !== undefined) await checkEnterpriseBackupSpace(deployment, size.store);
  if (options.archiveDirectory !== undefined) {
    const { archiveDirectory: directory, excludeTaskManager } = options;
    const storageBytes = storagePath === undefined
      ? undefined
      : await measureStorage(deployment, storagePath);
    await checkArchiveSpace(deployment, credentials, {
      directory,
      neo4jEdition,
      excludeTaskManager,
      ...(size === undefined ? {} : { neo4jBytes: size.store }),
      ...(storageBytes === undefined ? {} : { storageBytes }),
    });
  }
  if (options.redact) await checkRedaction(deployment, credentials.neo4j);
  // The API server tells it, and may be stopped below.
  const infrahubVersion = await detectInfrahubVersion(deployment);
  const data: DataFacts = {
    ...(size === undefined ? {} : { neo4jBytes: size.store + size.transactionLogs }),
    ...(needsNeo4j ? await readNeo4jVersions(deployment, credentials.neo4j) : {}),
    ...postgres,
  };
  if (!force) await waitForRunningTasks(deployment, options);
  const workersSeen = clock.now();
  if (options.redact) await redact(deployment, credentials.neo4j);

  const journal = new UndoJournal({ reporter, clock, record: options.record });
  return await journal.protect(async () => {
    const stopped = isDowntime
      ? await stopApplicationServices(deployment, journal, {
        onCacheReady: (starting) => removeStaleLocks(starting, credentials.cache),
      })
      : undefined;
    signal.throwIfAborted();
    if (stopped !== undefined && wanted.has("postgres")) {
      await tellCutOffTasks(deployment, credentials.postgres(), clock.now() - workersSeen);
    }
    const release = async () => {
      try {
        await stopped?.undo.perform();
      } catch (error) {
        reporter.warn(`Failed to restart services after backup: ${messageOf(error)}`);
      }
    };
    const dumps = sourcesOf(options, neo4jEdition, journal)
      .filter((source) => wanted.has(source.component));
    return await store({
      neo4jEdition,
      infrahubVersion,
      data,
      redacted: options.redact,
      sources: storagePath === undefined
        ? dumps
        : withStorage(options, dumps, storagePath, neo4jEdition, release),
      sideBySide: !isDowntime,
      release,
    });
  });
}

/** Components of two editions do not make one backup. */
function requireSameEdition({ resume }: DeploymentBackupOptions, edition: Neo4jEdition): void {
  if (resume === undefined || resume.neo4jEdition.toLowerCase() === edition) return;
  throw new DeploymentRefusedError(
    `cannot resume: the backup is of Neo4j ${resume.neo4jEdition || "unknown"} edition, ` +
      `the deployment is ${edition}`,
  );
}

function wantedComponents(
  { resume, excludeTaskManager, withStorage = false }: DeploymentBackupOptions,
): ReadonlySet<string> {
  if (resume === undefined) {
    return new Set([
      "neo4j",
      ...(excludeTaskManager ? [] : ["postgres"]),
      ...(withStorage ? ["storage"] : []),
    ]);
  }
  if (excludeTaskManager && resume.missing.includes("postgres")) {
    throw new DeploymentRefusedError(
      "cannot resume without the task manager: its database is what the backup lacks",
    );
  }
  return new Set(resume.missing);
}

function sourcesOf(
  options: DeploymentBackupOptions,
  edition: Neo4jEdition,
  journal: UndoJournal,
): ComponentSource[] {
  const { deployment, credentials, stallTimeoutMs } = options;
  const neo4j = edition === "community"
    ? neo4jCommunitySource(deployment, credentials.neo4j, journal, { stallTimeoutMs })
    : neo4jEnterpriseSource(deployment, credentials.neo4j, journal, {
      stallTimeoutMs,
      metadata: options.neo4jMetadata,
    });
  const sources = [neo4j];
  if (options.excludeTaskManager) {
    deployment.reporter.info("Skipping task manager database backup as requested");
  } else {
    sources.push(postgresSource(deployment, credentials.postgres(), { stallTimeoutMs }));
  }
  const verified = sources.map((source) => verifiedSource(source, edition, deployment.reporter));
  const reframes = edition === "community" && (options.reframeDump ?? false);
  return verified.map((source) =>
    reframes && source.component === "neo4j" ? reframedSource(source, deployment.reporter) : source
  );
}

/**
 * The stored objects behind the dumps, for every object that the graph names has to be among them. In
 * containers they can only be read while the API server runs, so that it is started again before.
 */
function withStorage(
  { deployment, stallTimeoutMs }: DeploymentBackupOptions,
  dumps: readonly ComponentSource[],
  path: string,
  edition: Neo4jEdition,
  release: () => Promise<void>,
): ComponentSource[] {
  const graphIsRead = Promise.withResolvers<void>();
  const noted = dumps.map((source) =>
    source.component === "neo4j" ? notedSource(source, graphIsRead.resolve) : source
  );
  if (!dumps.some(({ component }) => component === "neo4j")) graphIsRead.resolve();
  const storage = storageSource(deployment, path, {
    stallTimeoutMs,
    ready: async (signal) => {
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
      signal.throwIfAborted();
      await Promise.race([graphIsRead.promise, aborted]);
      await release();
      // With --no-wait nobody has waited for the container in which the objects are.
      if (deployment.waitsForServices === false && deployment.environment.kind !== "host") {
        await waitForService({ ...deployment, signal }, SERVER);
      }
    },
  });
  return [...noted, verifiedSource(storage, edition, deployment.reporter)];
}

/** @param onEnd told when the source has been read, or has failed */
function notedSource(source: ComponentSource, onEnd: () => void): ComponentSource {
  return {
    ...source,
    open: async (signal) => {
      try {
        const opened = await source.open(signal);
        opened.finished.then(onEnd, onEnd);
        return opened;
      } catch (error) {
        onEnd();
        throw error;
      }
    },
  };
}

/** A Community database can only be dumped while it is down. */
async function announceDowntime(
  { reporter, clock, signal }: Deployment,
  pauseMs: number,
): Promise<void> {
  reporter.warn(
    "Neo4j Community Edition detected; Infrahub services will be stopped and restarted during the backup.",
  );
  if (pauseMs <= 0) return;
  reporter.warn(
    `Waiting ${
      Math.round(pauseMs / 1_000)
    } seconds to allow the user to abort... CTRL+C to cancel.`,
  );
  await clock.sleep(pauseMs, signal);
  signal.throwIfAborted();
}
