import type { Archive } from "../../archive/mod.ts";
import type { Repository, SnapshotReader } from "../../kloset/mod.ts";
import { findMissingContent, parseTags, type SelectedBackup } from "../catalogue/mod.ts";
import { possibleRecordPaths } from "../component.ts";
import { dumpInspectorFor } from "../dump/mod.ts";
import { DamagedSnapshotError, messageOf } from "../errors.ts";
import type { Reporter } from "../reporter.ts";
import { formatSize, shortId } from "../show_values.ts";
import { archiveTar } from "../tarball/mod.ts";

/** A dump that can be restored. */
export interface RestorableDump {
  /** What it is, by its name: `neo4j.dump`, `neo4j-backup.tar` or `prefect.dump`. */
  readonly name: string;
  /** Length in bytes. */
  readonly bytes: number;
  /**
   * Hands all of it to `write`, authenticated; each piece is valid until `write` resolves.
   *
   * @throws when it cannot be read back as it was stored
   */
  copy(write: (bytes: Uint8Array) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** What a restore works from, wherever it is stored. */
export interface RestoreMaterial {
  /** Id of the backup; empty when it is not known. */
  readonly backupId: string;
  readonly infrahubVersion: string;
  /** Edition that the backup was made of; empty when it is not known. */
  readonly neo4jEdition: string;
  readonly neo4j: RestorableDump | undefined;
  readonly postgres: RestorableDump | undefined;
  /** Whether all of a backup is restored, or one component of it. */
  readonly isWhole: boolean;
}

/**
 * The dumps of snapshots of a repository.
 *
 * @param selected snapshots, of which those of the task manager may be left aside
 * @throws {DamagedSnapshotError} when a snapshot lacks its content
 */
export async function repositoryMaterial(
  repository: Repository,
  { ids, isWhole }: SelectedBackup,
  excludeTaskManager: boolean,
): Promise<RestoreMaterial> {
  let facts = { backupId: "", infrahubVersion: "", neo4jEdition: "" };
  const dumps = new Map<string, RestorableDump>();
  for (const id of ids) {
    const reader = await repository.openSnapshot(id);
    const { component = "", ...tags } = parseTags(reader.header.tags);
    facts = {
      backupId: facts.backupId || (tags.backupId ?? ""),
      infrahubVersion: facts.infrahubVersion || (tags.infrahubVersion ?? ""),
      neo4jEdition: facts.neo4jEdition || (tags.neo4jEdition ?? ""),
    };
    if (excludeTaskManager && component === "postgres") continue;
    const [missing] = await findMissingContent(reader);
    if (missing !== undefined) {
      throw new DamagedSnapshotError(
        `snapshot ${shortId(id)} (${component}) is damaged: ${missing.path}: ${missing.message}`,
      );
    }
    if (component === "neo4j" || component === "postgres") {
      dumps.set(component, await snapshotDump(reader, component));
    }
  }
  return { ...facts, neo4j: dumps.get("neo4j"), postgres: dumps.get("postgres"), isWhole };
}

async function snapshotDump(
  reader: SnapshotReader,
  component: "neo4j" | "postgres",
): Promise<RestorableDump> {
  for (const path of possibleRecordPaths(component)) {
    const entry = await reader.stat(path);
    if (entry?.type !== "file") continue;
    return {
      name: path.slice(1),
      bytes: entry.size,
      copy: async (write, signal) => {
        await reader.copy(path, write, { signal });
      },
    };
  }
  throw new DamagedSnapshotError(
    `snapshot ${shortId(reader.header.identifier)} has no record of its component`,
  );
}

/** The dumps of a verified archive. The files of an Enterprise backup become a tar again. */
export function archiveMaterial(archive: Archive, excludeTaskManager: boolean): RestoreMaterial {
  const { metadata } = archive;
  const stream = (name: string): RestorableDump["copy"] => async (write, signal) => {
    for await (const bytes of archive.streamEntry(name, { signal })) await write(bytes);
  };
  const database = archive.files.filter((file) => file.name.startsWith("database/"));
  const dump = database.find((file) => file.name.endsWith(".dump"));
  const prefect = archive.files.find((file) => file.name === "prefect.dump");
  const neo4j = dump !== undefined && database.length === 1
    ? { name: "neo4j.dump", bytes: dump.bytes, copy: stream(dump.name) }
    : database.length > 0
    ? archiveTar(archive, database)
    : undefined;
  return {
    backupId: metadata.backupId.replace(/^infrahub_backup_/, ""),
    infrahubVersion: metadata.infrahubVersion,
    neo4jEdition: metadata.neo4jEdition,
    neo4j,
    postgres: prefect === undefined || excludeTaskManager
      ? undefined
      : { name: prefect.name, bytes: prefect.bytes, copy: stream(prefect.name) },
    isWhole: true,
  };
}

/**
 * Reads every byte of what is going to be restored: all of it can be read back, and the dumps are
 * complete in themselves. Nothing of the deployment is touched before this has succeeded.
 *
 * @throws {DamagedSnapshotError} naming the dump
 */
export async function verifyMaterial(
  { neo4j, postgres }: RestoreMaterial,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  for (const dump of [neo4j, postgres]) {
    if (dump === undefined) continue;
    reporter.info(`Verifying ${dump.name} (${formatSize(dump.bytes)})...`);
    const inspector = dumpInspectorFor(dump.name);
    try {
      await dump.copy((bytes) => {
        inspector?.observe(bytes);
        return Promise.resolve();
      }, signal);
      inspector?.finish();
    } catch (error) {
      signal.throwIfAborted();
      throw new DamagedSnapshotError(
        `cannot restore ${dump.name}: ${messageOf(error)}; nothing has been changed`,
        { cause: error },
      );
    }
  }
}
