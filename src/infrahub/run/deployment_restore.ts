import type { ServiceName } from "../../environment/mod.ts";
import type { Neo4jEdition } from "../component.ts";
import {
  attempt,
  CacheNotEmptiedError,
  type ComponentTarget,
  DATABASE,
  type Deployment,
  DeploymentError,
  DeploymentRefusedError,
  emptyCache,
  flushCommand,
  isCacheKnown,
  removeStaleLocks,
  requireFreeSpace,
  restartDependencies,
  SERVER,
  startFrontServices,
  stopApplicationServices,
  TASK_MANAGER_DATABASE,
  TASK_WORKER,
  UndoJournal,
  wipeMessageQueue,
} from "../deployment/mod.ts";
import {
  checkCommunityLoadSpace,
  checkEnterpriseRestoreSpace,
  detectEdition,
  openNeo4jCommunityTarget,
  openNeo4jEnterpriseTarget,
  resetDeploymentId,
  resolveRestoreEdition,
} from "../neo4j/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { InfrahubBackupError } from "../errors.ts";
import {
  checkPostgresServer,
  formatServer,
  openPostgresTarget,
  type RestorablePostgres,
  startPostgres,
} from "../postgres/mod.ts";
import type { Credentials } from "./credentials.ts";
import type { RestorableDump, RestoreMaterial } from "../dump/mod.ts";
import { findStorage, openStorageTarget, PUT_BACK_NAME } from "../storage/mod.ts";
import { verifyMaterial } from "./verify_material.ts";
import {
  checkGraph,
  checkNeo4jVersion,
  checkRestoredGraph,
  type GraphFit,
  migrateGraph,
  MIGRATION,
} from "./version_check.ts";
import { formatSize } from "../show_values.ts";
import type { RunRecord } from "../unfinished/mod.ts";

/** How a deployment is restored. */
export interface DeploymentRestoreOptions {
  readonly deployment: Deployment;
  readonly credentials: Credentials;
  readonly material: RestoreMaterial;
  /** Binding when given; otherwise Neo4j is asked. */
  readonly neo4jEdition?: Neo4jEdition;
  readonly excludeTaskManager: boolean;
  /** Convert the store to block format once it is loaded. */
  readonly migrateFormat: boolean;
  readonly resetDeploymentId: boolean;
  /** Have Infrahub migrate a graph that is older than its code, before its workers start. */
  readonly upgrade: boolean;
  /** Restore a backup of a newer Infrahub, Neo4j or PostgreSQL as well. */
  readonly force: boolean;
  /**
   * Empty Infrahub's database in Redis on a host as well, where Redis may not be Infrahub's alone; in
   * containers the cache is emptied in any case.
   */
  readonly flushCache: boolean;
  /** Longest wait in milliseconds for a program to take more bytes; 0 for no limit. */
  readonly stallTimeoutMs: number;
  readonly now: Date;
  /**
   * Keep the databases that are replaced, under other names.
   *
   * @default {false}
   */
  readonly keepsOld?: boolean;
  /**
   * Only the plan is wanted: not even a service that is down is started.
   *
   * @default {false}
   */
  readonly isDryRun?: boolean;
  /** Keeps what the restore would leave if it was killed. */
  readonly record?: RunRecord;
}

/** What a restore will do, found out and verified; nothing has been touched. */
export interface RestorePlan {
  /** For people, in order. */
  readonly steps: readonly string[];
  /**
   * Carries it out.
   *
   * @returns what is left to be done by the user, as sentences
   */
  readonly execute: () => Promise<readonly string[]>;
}

const GIBIBYTE = 1024 ** 3;
const OPENING_MS = 900_000;
const OPENING_MS_PER_GIBIBYTE = 180_000;

/** What has become of a component, for whoever has to go on after a failure. */
type ComponentState =
  | "not part of this restore"
  | "unchanged"
  | "being replaced: its data is not usable"
  | "replaced, but it does not answer"
  | "restored"
  | "put back as it was before";

const IN_EXCHANGE = "being replaced: its data is not usable" satisfies ComponentState;

/** A restore failed, or did not do all, after it had begun; the message says what state everything is in. */
export class RestoreFailedError extends InfrahubBackupError {}

/**
 * Finds out how a backup is restored, and verifies all of it: every byte can be read back, the
 * dumps are complete, edition and version fit, the databases can be replaced.
 *
 * @throws {DamagedSnapshotError} when the backup is not sound
 * @throws {DeploymentRefusedError} when it does not fit the deployment
 */
export async function planRestore(options: DeploymentRestoreOptions): Promise<RestorePlan> {
  const { deployment, credentials, material } = options;
  const { reporter, signal } = deployment;
  const postgres = options.excludeTaskManager ? undefined : material.postgres;
  const { neo4j, storage } = material;
  if (neo4j === undefined && postgres === undefined && storage === undefined) {
    return { steps: ["nothing to restore"], execute: () => Promise.resolve([]) };
  }
  if (options.resetDeploymentId && neo4j === undefined) {
    reporter.warn("--reset-deployment-id ignored: no Neo4j component in this backup group");
  }
  let edition: Neo4jEdition = "community";
  if (neo4j !== undefined) {
    const target = await detectEdition(deployment, credentials.neo4j, {
      purpose: "restore",
      mayStart: options.isDryRun !== true,
      ...(options.neo4jEdition === undefined ? {} : { given: options.neo4jEdition }),
    });
    edition = resolveRestoreEdition(material.neo4jEdition || editionOf(neo4j), target);
    requireFitting(neo4j, edition);
    if (options.keepsOld && edition !== "community") {
      throw new DeploymentRefusedError(
        "--keep-old: Neo4j Enterprise replaces its database in place, so that the old one cannot be kept",
      );
    }
    if (await mayAsk(options, DATABASE)) {
      await (edition === "community"
        ? checkCommunityLoadSpace(
          deployment,
          credentials.neo4j,
          neo4j.bytes,
          material.data?.neo4jBytes,
        )
        : checkEnterpriseRestoreSpace(deployment, neo4j.bytes));
      await checkNeo4jVersion(
        deployment,
        credentials.neo4j,
        material.data ?? {},
        options.force,
      );
    }
  }
  const fit = await checkGraph(deployment, material, options.force);
  if (options.flushCache && !isCacheKnown(deployment, credentials.cache)) {
    throw new DeploymentRefusedError(
      "cannot empty the cache: INFRAHUB_CACHE_ADDRESS does not say where Redis is",
    );
  }
  // Before the dumps are read, which may take hours: a description that is of no use is told at once.
  if (postgres !== undefined) {
    reporter.info(`PostgreSQL: ${formatServer(credentials.postgres())}`);
  }
  if (storage !== undefined) await checkStorageTarget(deployment, storage.bytes);
  const verified = await verifyMaterial({ ...material, postgres }, reporter, signal);
  let server: RestorablePostgres | undefined;
  if (postgres !== undefined && await mayAsk(options, TASK_MANAGER_DATABASE)) {
    await startPostgres(deployment, credentials.postgres());
    server = await checkPostgresServer(deployment, credentials.postgres(), {
      bytes: postgres.bytes,
      force: options.force,
      ...(material.data?.postgres === undefined ? {} : { recordedVersion: material.data.postgres }),
      ...(verified.postgres === undefined ? {} : { contents: verified.postgres }),
    });
  }
  const restore = new Restore(options, neo4j, edition, postgres, server, fit);
  return { steps: restore.steps, execute: () => restore.execute() };
}

/** A dry run looks at a server that runs, and starts none. */
async function mayAsk(
  { deployment, isDryRun }: DeploymentRestoreOptions,
  server: ServiceName,
): Promise<boolean> {
  if (isDryRun !== true) return true;
  const { environment, reporter, signal } = deployment;
  if (await environment.status(server, signal) !== "stopped") return true;
  reporter.warn(`${server} is down: whether its database can be replaced has not been checked`);
  return false;
}

/** What becomes of the old databases is the user's to decide. */
function keptOld(targets: readonly ComponentTarget[]): string[] {
  const kept = targets.flatMap(({ old }) => old ?? []);
  if (kept.length === 0) return [];
  return [`The databases that were replaced are kept: ${kept.join(", ")}. Remove them by hand`];
}

class Restore {
  readonly #options: DeploymentRestoreOptions;
  readonly #deployment: Deployment;
  readonly #neo4j: RestorableDump | undefined;
  readonly #edition: Neo4jEdition;
  readonly #postgres: RestorableDump | undefined;
  readonly #server: RestorablePostgres | undefined;
  readonly #fit: GraphFit;
  readonly #storage: RestorableDump | undefined;
  readonly #states: {
    neo4j: ComponentState;
    postgres: ComponentState;
    storage: ComponentState;
  };

  constructor(
    options: DeploymentRestoreOptions,
    neo4j: RestorableDump | undefined,
    edition: Neo4jEdition,
    postgres: RestorableDump | undefined,
    server: RestorablePostgres | undefined,
    fit: GraphFit,
  ) {
    this.#options = options;
    this.#deployment = options.deployment;
    this.#neo4j = neo4j;
    this.#edition = edition;
    this.#postgres = postgres;
    this.#server = server;
    this.#fit = neo4j === undefined ? { migration: "none", reason: "" } : fit;
    this.#storage = options.material.storage;
    this.#states = {
      storage: this.#storage === undefined ? "not part of this restore" : "unchanged",
      neo4j: neo4j === undefined ? "not part of this restore" : "unchanged",
      postgres: postgres === undefined ? "not part of this restore" : "unchanged",
    };
  }

  get steps(): string[] {
    const { material, migrateFormat, resetDeploymentId } = this.#options;
    const size = (dump: RestorableDump) => `${dump.name} (${formatSize(dump.bytes)})`;
    return [
      ...(material.isWhole && this.#deployment.environment.kind !== "host"
        ? ["remove the data of the message queue"]
        : []),
      "stop the application services",
      ...(this.#postgres === undefined ? [] : [
        `restore PostgreSQL from ${
          size(this.#postgres)
        } beside the database in use, then swap both: ${
          formatServer(this.#options.credentials.postgres())
        }`,
      ]),
      "restart cache, message queue and task manager" +
      (this.#emptiesCache ? ", and empty the cache" : ""),
      ...(this.#neo4j === undefined ? [] : [
        `restore Neo4j (${this.#edition}) from ${size(this.#neo4j)}` +
        (this.#edition === "community"
          ? " beside the database in use, then exchange both"
          : ", replacing the database in use"),
      ]),
      ...(this.#keepsOld ? ["keep the databases that were replaced"] : []),
      ...(migrateFormat && this.#neo4j !== undefined ? ["convert the store to block format"] : []),
      ...(resetDeploymentId && this.#neo4j !== undefined ? ["give the deployment a new id"] : []),
      "start the application services",
      ...(this.#storage === undefined ? [] : [
        `restore the stored objects from ${size(this.#storage)} beside those in use, then ` +
        "exchange both, before the workers start",
      ]),
      ...this.#migrationSteps(),
    ];
  }

  #migrationSteps(): string[] {
    const { migration, reason } = this.#fit;
    if (migration === "none") return [];
    if (this.#options.upgrade) {
      return [`migrate the graph before the workers start (${MIGRATION}): ${reason}`];
    }
    const need = migration === "due" ? "to be run by hand" : "to be run by hand where needed";
    return [`left ${need}, or with --upgrade: ${MIGRATION}: ${reason}`];
  }

  /**
   * @throws {RestoreFailedError} with the state of everything
   */
  async execute(): Promise<readonly string[]> {
    const { reporter, clock, signal } = this.#deployment;
    const journal = new UndoJournal({ reporter, clock, record: this.#options.record });
    let leftToDo: readonly string[];
    try {
      leftToDo = await journal.protect(() => this.#run(journal));
    } catch (error) {
      if (this.#states.postgres === "restored" && !this.#isSettled && !this.#isNewGraph) {
        this.#states.postgres = journal.pending.some((name) => name.includes("PostgreSQL"))
          ? "being replaced: its data is not usable"
          : "put back as it was before";
      }
      if (this.#states.storage === IN_EXCHANGE && !journal.pending.includes(PUT_BACK_NAME)) {
        this.#states.storage = "put back as it was before";
      }
      const problem = signal.aborted ? messageOf(signal.reason) : messageOf(error);
      const pending = journal.pending;
      const failure = new RestoreFailedError(
        [
          `restore failed: ${problem}`,
          `  Neo4j: ${this.#states.neo4j}`,
          `  PostgreSQL: ${this.#states.postgres}`,
          ...(this.#storage === undefined ? [] : [`  stored objects: ${this.#states.storage}`]),
          pending.length === 0
            ? "  services: those that were stopped have been started again"
            : `  left to do: ${pending.join("; ")}` +
              (this.#options.record === undefined ? "" : ' ("restore --recover" tries it again)'),
          ...this.#kept.map((sentence) => `  ${sentence}`),
        ].join("\n"),
        { cause: error },
      );
      // Whoever was interrupted exits as interrupted; what state things are in still has to be said.
      if (signal.aborted) {
        reporter.warn(failure.message);
        throw signal.reason;
      }
      throw failure;
    }
    if (this.#cacheError === undefined) return leftToDo;
    throw new RestoreFailedError(
      [
        `restored, but ${this.#cacheError.message}`,
        "  tasks may wait for locks of workers that are gone, and see data of before the restore",
        `  left to do by hand: stop ${SERVER} and ${TASK_WORKER}, then ` +
        `${flushCommand(this.#deployment, this.#options.credentials.cache)} where the cache runs`,
        ...leftToDo.map((text) => `  ${text}`),
      ].join("\n"),
      { cause: this.#cacheError },
    );
  }

  #isSettled = false;
  /** Where the old databases are, once it is settled that they are kept; also told by a failure. */
  #kept: readonly string[] = [];
  #isCacheTended = false;
  #cacheError: CacheNotEmptiedError | undefined;

  get #keepsOld(): boolean {
    return this.#options.keepsOld === true;
  }

  /** What it holds belongs to the data that a whole backup replaces. */
  get #emptiesCache(): boolean {
    const { material, flushCache, deployment } = this.#options;
    return material.isWhole && (deployment.environment.kind !== "host" || flushCache);
  }

  /**
   * A cache that cannot be emptied does not end a restore: that would leave less than half of it. It
   * does keep it from ending well.
   */
  async #tendCache(deployment: Deployment): Promise<void> {
    const { reporter } = deployment;
    const { cache } = this.#options.credentials;
    this.#isCacheTended = true;
    if (this.#emptiesCache) {
      try {
        await emptyCache(deployment, cache);
      } catch (error) {
        if (!(error instanceof CacheNotEmptiedError)) throw error;
        this.#cacheError = error;
        reporter.warn(error.message);
      }
      return;
    }
    if (this.#options.material.isWhole) {
      reporter.warn(
        "The cache is left as it is, but for locks of stopped workers: on a host, Redis may serve " +
          "others as well. Empty it with --flush-cache next time, or now, with Infrahub's services " +
          `stopped: ${flushCommand(deployment, cache)}`,
      );
    }
    await removeStaleLocks(deployment, cache);
  }

  async #run(journal: UndoJournal): Promise<readonly string[]> {
    const { material, credentials, now } = this.#options;
    const deployment = this.#deployment;
    const { reporter } = deployment;
    if (material.isWhole) await wipeMessageQueue(deployment);
    const stopped = await stopApplicationServices(deployment, journal, {
      onCacheReady: async (starting) => {
        // In the end everything runs, and what is started again is nothing: nobody's locks are stale.
        if (!this.#isCacheTended) await removeStaleLocks(starting, credentials.cache);
      },
    });
    const targets: ComponentTarget[] = [];
    if (this.#postgres !== undefined && this.#server !== undefined) {
      const target = await openPostgresTarget(deployment, this.#server, journal, {
        stallTimeoutMs: this.#options.stallTimeoutMs,
        now,
        requireUndoable: () => this.#requireOldGraph(),
      });
      await this.#fill(target, this.#postgres);
      this.#states.postgres = "restored";
      targets.push(target);
    }
    const settle = async () => {
      if (this.#isSettled) return;
      this.#isSettled = true;
      await journal.turn();
      for (const target of targets) await target.settle(this.#keepsOld);
      if (this.#keepsOld) this.#kept = keptOld(targets);
    };
    await restartDependencies(deployment, {
      onCacheReady: (starting) => this.#tendCache(starting),
    });
    if (this.#neo4j !== undefined) {
      const target = await this.#openNeo4j(journal, this.#neo4j.bytes, settle);
      targets.unshift(target);
      await this.#fill(target, this.#neo4j);
      this.#states.neo4j = "restored";
    }
    // From here on both stay, whoever interrupts: the old tasks would not match the new graph.
    await settle();
    if (this.#neo4j !== undefined && this.#options.resetDeploymentId) {
      await resetDeploymentId(deployment, credentials.neo4j, { now });
    }
    for (const target of targets) await target.finish();
    const wantsMigration = this.#options.upgrade && this.#fit.migration !== "none";
    const leftToDo: string[] = [...this.#kept];
    const betweenBoth = async () => {
      if (this.#storage !== undefined) {
        leftToDo.push(...await this.#restoreStorage(this.#storage, journal));
      }
      if (wantsMigration) await migrateGraph(deployment, credentials.neo4j);
    };
    await startFrontServices(
      deployment,
      this.#storage !== undefined || wantsMigration ? betweenBoth : undefined,
    );
    await stopped.undo.perform();
    if (this.#storage === undefined && material.isWhole) {
      reporter.info(
        "The backup has no stored objects (artifacts, uploads): the deployment's are left as they are",
      );
    }
    return wantsMigration ? leftToDo : [...leftToDo, ...await this.#leftToDo()];
  }

  /**
   * Not while all services are down, as the databases: in a container nothing can be done that does
   * not run. Only the workers write objects.
   *
   * @returns what is left to be done
   */
  async #restoreStorage(storage: RestorableDump, journal: UndoJournal): Promise<string[]> {
    const deployment = this.#deployment;
    const location = await findStorage(deployment);
    if (location.kind === "s3") return [objectsForS3(location)];
    const target = await openStorageTarget(deployment, location.path, journal, {
      stallTimeoutMs: this.#options.stallTimeoutMs,
      onReplace: () => {
        this.#states.storage = IN_EXCHANGE;
      },
    });
    await this.#fill(target, storage);
    this.#states.storage = "restored";
    return [];
  }

  /** What has to be told in the end, because nobody does it. */
  async #leftToDo(): Promise<readonly string[]> {
    const { data } = this.#options.material;
    const { migration, reason } = this.#fit.migration === "unasked" && data?.graph !== undefined
      ? await checkRestoredGraph(this.#deployment, data.graph)
      : this.#fit;
    if (migration === "none") return [];
    const verb = migration === "due" ? "has" : "may have";
    return [
      `The restored data ${verb} to be migrated (${reason}): stop ${TASK_WORKER}, run ` +
      `"${MIGRATION}" in ${SERVER}, and start ${TASK_WORKER} again`,
    ];
  }

  /** Tasks and graph belong together: where the new graph stays in its place, so do its tasks. */
  #requireOldGraph(): void {
    if (!this.#isNewGraph) return;
    throw new DeploymentError("the restored graph is in its place, and PostgreSQL goes with it");
  }

  get #isNewGraph(): boolean {
    const { neo4j } = this.#states;
    return neo4j === "restored" || neo4j === "replaced, but it does not answer";
  }

  /**
   * @param bytes size of the dump
   * @param settle to be called when the old graph is nowhere any more
   */
  async #openNeo4j(
    journal: UndoJournal,
    bytes: number,
    settle: () => Promise<void>,
  ): Promise<ComponentTarget> {
    const { credentials, stallTimeoutMs, migrateFormat } = this.#options;
    const limitMs = openingLimit(bytes);
    const options = { stallTimeoutMs, migrateFormat };
    if (this.#edition === "community") {
      return await openNeo4jCommunityTarget(this.#deployment, credentials.neo4j, journal, {
        ...options,
        readyTimeoutMs: limitMs,
        onReplace: () => this.#states.neo4j = "replaced, but it does not answer",
        onPutBack: () => this.#states.neo4j = "put back as it was before",
      });
    }
    return await openNeo4jEnterpriseTarget(this.#deployment, credentials.neo4j, journal, {
      ...options,
      onlineTimeoutMs: limitMs,
      onReplace: () => this.#states.neo4j = "being replaced: its data is not usable",
      onReplaced: async () => {
        this.#states.neo4j = "replaced, but it does not answer";
        await settle();
      },
    });
  }

  async #fill(target: ComponentTarget, dump: RestorableDump): Promise<void> {
    const { signal } = this.#deployment;
    try {
      await attempt(
        this.#deployment,
        `failed to restore ${dump.name}`,
        () => dump.copy((bytes) => target.write(bytes), signal),
      );
    } catch (error) {
      await target.abort(error);
      throw error;
    }
    await target.close();
  }
}

/**
 * Looks at the place for the stored objects as far as the API server can be asked by now.
 *
 * @throws {DeploymentRefusedError} when there is too little room
 */
async function checkStorageTarget(deployment: Deployment, bytes: number): Promise<void> {
  const { reporter, signal } = deployment;
  try {
    const location = await findStorage(deployment);
    if (location.kind === "s3") reporter.warn(objectsForS3(location));
    else await requireFreeSpace(deployment, SERVER, location.path, bytes, "the stored objects");
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DeploymentRefusedError) throw error;
    reporter.warn(`Whether the stored objects fit has not been checked: ${messageOf(error)}`);
  }
}

function objectsForS3({ bucket }: { readonly bucket: string }): string {
  return `Infrahub keeps its objects in S3${
    bucket && ` (bucket ${bucket})`
  }: those of the backup, ` +
    "which are files, are not restored; copy them there from storage.tar (restore --to)";
}

/**
 * How long a restored graph may take to open, in milliseconds: a large store has indexes to fill and
 * logs to go through.
 *
 * @param bytes size of the dump, which is compressed
 */
export function openingLimit(bytes: number): number {
  return OPENING_MS + Math.ceil(bytes / GIBIBYTE * OPENING_MS_PER_GIBIBYTE);
}

/** Edition that a dump is of, by its name. */
function editionOf(dump: RestorableDump): Neo4jEdition {
  return dump.name.endsWith(".dump") ? "community" : "enterprise";
}

function requireFitting(dump: RestorableDump, edition: Neo4jEdition): void {
  if (editionOf(dump) === edition) return;
  throw new DeploymentRefusedError(
    `cannot restore ${dump.name} by the ${edition} method: it is ` +
      (edition === "community" ? "an Enterprise backup" : "a Community dump"),
  );
}
