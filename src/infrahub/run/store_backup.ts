import { messageOf } from "../../errors/mod.ts";
import type { Repository, SnapshotStatistics, SnapshotWriter } from "../../kloset/mod.ts";
import { bytesSource, type ComponentSource, verifiedSource } from "../dump/mod.ts";
import {
  compareComponents,
  type Component,
  isComponent,
  type Neo4jEdition,
  recordPath,
} from "../component.ts";
import type { DataFacts } from "../data_facts.ts";
import { BackupFailedError } from "../errors.ts";
import {
  type BackupDescription,
  type BackupGroup,
  buildTags,
  encodeMetadata,
  listGroups,
  ownGroups,
  reserveBackupId,
  warnOfClock,
} from "../catalogue/mod.ts";
import { type DeploymentIdentity, newRunId } from "../origin/mod.ts";
import type { Reporter } from "../reporter.ts";
import { formatSize, shortId } from "../show_values.ts";

/** What is to be backed up, and what is known about it. */
export interface CreateBackupOptions {
  readonly repository: Repository;
  /** Dumps, in component order; the metadata component is added to them. */
  readonly sources: readonly ComponentSource[];
  readonly neo4jEdition: Neo4jEdition;
  readonly infrahubVersion: string;
  readonly toolVersion: string;
  /** Name of this host, recorded as the snapshots' origin. */
  readonly hostname: string;
  /** Of what wrote the data; undefined where nobody has asked. */
  readonly data?: DataFacts;
  /** Whose dumps they are; undefined where nobody says so. */
  readonly deployment?: DeploymentIdentity;
  readonly now: Date;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /**
   * Whether attribute values were replaced before the backup.
   *
   * @default {false}
   */
  readonly redacted?: boolean;
  /**
   * An incomplete backup that gets what it lacks, under its own id; sources that it has already are
   * passed over.
   */
  readonly resume?: BackupGroup;
  /**
   * Whether the sources are read at the same time, and not one after the other.
   *
   * @default {false}
   */
  readonly sideBySide?: boolean;
  /**
   * Store the sources as they come. Otherwise each has to be the whole dump that it says it is, and
   * fails when it is not.
   *
   * @default {false}
   */
  readonly rawDumps?: boolean;
}

/** Byte counts of a component or of a whole backup. */
export interface TransferCounts {
  /** Bytes of the dump. */
  readonly bytesRead: number;
  /** Bytes of the dump that the repository did not have. */
  readonly bytesNew: number;
  /** Bytes added to the store, after compression and with all that goes along. */
  readonly bytesStored: number;
  readonly durationSeconds: number;
}

/** A component that has been stored. */
export interface CreatedComponent extends TransferCounts {
  readonly component: Component;
  /** 64 hex digits. */
  readonly snapshotId: string;
}

/** A finished backup. */
export interface CreatedBackup {
  /** What names it beyond doubt: see {@linkcode BackupGroup.name}. */
  readonly backupId: string;
  /** The run that made it, or began it, 16 hex digits; undefined where an earlier version began it. */
  readonly run: string | undefined;
  readonly components: readonly CreatedComponent[];
  readonly totals: TransferCounts;
}

/**
 * Stores one snapshot per component. One that fails does not keep the others from it: their snapshots
 * are valid, the group shows as incomplete and can be resumed, and a warning says so.
 *
 * @throws {BackupFailedError} when a component could not be stored; the signal's reason when aborted
 */
export async function createBackup(options: CreateBackupOptions): Promise<CreatedBackup> {
  const { repository, reporter, resume } = options;
  if (resume !== undefined) return await storeGroup(options, resumed(options, resume));
  const { backupId, release } = await reserveBackupId(repository, options.now, reporter);
  try {
    return await storeGroup(options, await described(options, backupId));
  } finally {
    await release();
  }
}

async function storeGroup(
  options: CreateBackupOptions,
  backup: BackupDescription,
): Promise<CreatedBackup> {
  const { repository, reporter, signal } = options;
  reporter.info("Creating Plakar streaming backup", {
    repo: repository.location,
    neo4j_edition: backup.neo4jEdition,
    backup_id: backup.backupId,
  });
  const present = new Set(options.resume?.members.map((member) => member.component));
  const sources = options.sources
    .filter((source) => !present.has(source.component))
    .map((source) =>
      options.rawDumps === true ? source : verifiedSource(source, backup.neo4jEdition, reporter)
    );
  const created: CreatedComponent[] = [];
  const store = async (source: ComponentSource) => {
    created.push(await storeComponent(source, backup, options));
  };
  try {
    if (options.sideBySide) {
      throwFirstFailure(await Promise.allSettled(sources.map(store)), reporter);
    } else {
      const results: PromiseSettledResult<void>[] = [];
      for (const source of sources) {
        results.push(...await Promise.allSettled([store(source)]));
        signal.throwIfAborted();
      }
      throwFirstFailure(results, reporter);
    }
    if (!present.has("metadata")) {
      await store(
        bytesSource(
          "metadata",
          recordPath("metadata", backup.neo4jEdition),
          encodeMetadata(backup, options.now),
        ),
      );
    }
  } catch (error) {
    warnIncomplete(reporter, backup, [...present, ...created.map((one) => one.component)]);
    throw signal.aborted ? signal.reason : error;
  }
  const totals = addUp(created);
  const backupId = await nameOf(backup, created, options);
  reporter.info("Plakar streaming backup completed successfully", {
    backup_id: backupId,
    components: created.length,
    repo: repository.location,
    ...sizeFields(totals),
  });
  created.sort((a, b) => compareComponents(a.component, b.component));
  return { backupId, run: backup.origin?.run, components: created, totals };
}

/** What names the group: two runs on a store that could not keep them apart may have chosen one id. */
async function nameOf(
  { backupId }: BackupDescription,
  created: readonly CreatedComponent[],
  { repository, reporter, signal }: CreateBackupOptions,
): Promise<string> {
  const ids = new Set(created.map(({ snapshotId }) => snapshotId));
  try {
    await repository.refresh();
    const groups = await listGroups(repository, reporter);
    const own = groups.find(({ members }) => members.some(({ snapshotId }) => ids.has(snapshotId)));
    return own?.name ?? backupId;
  } catch (error) {
    signal.throwIfAborted();
    // The backup is there: that its name may be ambiguous is told by whatever it is used with.
    reporter.debug(`Could not look for backups of the same id: ${messageOf(error)}`);
    return backupId;
  }
}

/** Throws the first failure, and warns of the others: each has a reason of its own. */
function throwFirstFailure(results: PromiseSettledResult<void>[], reporter: Reporter): void {
  const [first, ...others] = results.filter((result) => result.status === "rejected");
  for (const { reason } of others) reporter.warn(messageOf(reason));
  if (first !== undefined) throw first.reason;
}

function resumed(options: CreateBackupOptions, group: BackupGroup): BackupDescription {
  return {
    backupId: group.backupId,
    components: (group.expected ?? []).filter(isComponent),
    neo4jEdition: options.neo4jEdition,
    infrahubVersion: group.infrahubVersion,
    toolVersion: options.toolVersion,
    redacted: group.redacted,
    ...(options.data === undefined ? {} : { data: options.data }),
    rawDumps: options.rawDumps ?? false,
    // Of the run that is resumed, or none if that was of an earlier version: else it were another
    // group.
    ...(group.origin.run === undefined ? {} : { origin: group.origin }),
    ...(group.madeAfter === undefined ? {} : { madeAfter: group.madeAfter }),
  };
}

async function described(
  options: CreateBackupOptions,
  backupId: string,
): Promise<BackupDescription> {
  const { deployment, hostname: host, repository, reporter } = options;
  const inHand = { host, ...(deployment === undefined ? {} : { deployment }) };
  const own = ownGroups(await listGroups(repository, reporter), inHand);
  const later = warnOfClock(own, new Date(), reporter);
  return {
    backupId,
    components: [...options.sources.map((source) => source.component), "metadata"],
    neo4jEdition: options.neo4jEdition,
    infrahubVersion: options.infrahubVersion,
    toolVersion: options.toolVersion,
    redacted: options.redacted ?? false,
    ...(options.data === undefined ? {} : { data: options.data }),
    origin: { ...inHand, run: newRunId() },
    ...(later === undefined ? {} : { madeAfter: later.name }),
    rawDumps: options.rawDumps ?? false,
  };
}

function warnIncomplete(
  reporter: Reporter,
  backup: BackupDescription,
  present: readonly string[],
): void {
  if (present.length === 0) return;
  const names = present.toSorted(compareComponents).join(", ");
  reporter.warn(
    `Backup group ${backup.backupId} is incomplete ` +
      `(${present.length}/${backup.components.length} components created: ${names})`,
  );
}

async function storeComponent(
  source: ComponentSource,
  backup: BackupDescription,
  options: CreateBackupOptions,
): Promise<CreatedComponent> {
  const { component } = source;
  const { reporter, repository, signal } = options;
  const started = performance.now();
  reporter.info(`Creating snapshot for component: ${component}`);
  const writer = await step(
    `failed to create snapshot for ${component}`,
    () =>
      repository.createSnapshot({
        name: `${backup.backupId}_${component}`,
        tags: buildTags(backup, component),
        importer: { type: "infrahub", origin: options.hostname, directory: "/" },
        signal,
        onProgress: ({ bytesRead: bytes, bytesNew, bytesStored }) =>
          reporter.progress?.({ component, bytes, bytesNew, bytesStored }),
      }),
  );
  try {
    await step(`streaming backup failed for ${component}`, () => copyInto(writer, source, options));
    signal.throwIfAborted();
    await step(`failed to commit snapshot for ${component}`, async () => {
      await repository.requireSame();
      await writer.commit();
    });
  } catch (error) {
    await writer.abort();
    throw error;
  }
  const counts = countsOf(writer.statistics, (performance.now() - started) / 1_000);
  reporter.info("Component snapshot created", {
    component,
    snapshot_id: shortId(writer.id),
    ...sizeFields(counts),
  });
  return { component, snapshotId: writer.id, ...counts };
}

/** Streams a source into the snapshot's record; on any failure whatever feeds it is ended. */
async function copyInto(
  writer: SnapshotWriter,
  source: ComponentSource,
  options: CreateBackupOptions,
): Promise<void> {
  const stop = new AbortController();
  const input = await source.open(AbortSignal.any([options.signal, stop.signal]));
  let bytes: number;
  try {
    const attributes = { uid: 0, gid: 0, mtime: options.now };
    writer.addDirectory("/", { ...attributes, mode: 0o755 });
    ({ bytes } = await writer.addFile(source.recordPath, input.content, {
      ...attributes,
      mode: 0o644,
    }));
  } catch (error) {
    stop.abort(error);
    // Locked when the writer still holds it: then the signal above has ended the source.
    await input.content.cancel(error).catch(() => {});
    // The source's own error is the cause where it has one; a stopped one repeats ours.
    await input.finished;
    throw error;
  }
  await input.finished;
  await input.verify?.(bytes);
}

async function step<Value>(what: string, action: () => Promise<Value>): Promise<Value> {
  try {
    return await action();
  } catch (error) {
    throw new BackupFailedError(`${what}: ${messageOf(error)}`, { cause: error });
  }
}

function countsOf(statistics: SnapshotStatistics, durationSeconds: number): TransferCounts {
  return {
    bytesRead: statistics.bytesRead,
    bytesNew: statistics.bytesNew,
    bytesStored: statistics.bytesStored,
    durationSeconds,
  };
}

function addUp(components: readonly TransferCounts[]): TransferCounts {
  const sum = (pick: (counts: TransferCounts) => number) =>
    components.reduce((total, component) => total + pick(component), 0);
  return {
    bytesRead: sum((counts) => counts.bytesRead),
    bytesNew: sum((counts) => counts.bytesNew),
    bytesStored: sum((counts) => counts.bytesStored),
    durationSeconds: sum((counts) => counts.durationSeconds),
  };
}

function sizeFields(counts: TransferCounts) {
  return {
    read: formatSize(counts.bytesRead),
    new: formatSize(counts.bytesNew),
    stored: formatSize(counts.bytesStored),
  };
}
