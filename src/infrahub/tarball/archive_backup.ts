import {
  type ArchiveSource,
  METADATA_VERSION,
  spool,
  STORAGE_NAME,
  writeArchive,
} from "../../archive/mod.ts";
import { messageOf, problemOf } from "../../errors/mod.ts";
import { exists } from "../../files/mod.ts";
import type { ArchiveFacts, ArchiveRecords } from "./archive_records.ts";
import { unpackBackup } from "./_unpack_backup.ts";
import type { Component, Neo4jEdition } from "../component.ts";
import { type DataFacts, dataFields } from "../data_facts.ts";
import { BackupFailedError } from "../errors.ts";
import { type DeploymentIdentity, newRunId, originFields } from "../origin/mod.ts";
import type { Reporter } from "../reporter.ts";
import { formatSize } from "../show_values.ts";
import { type ComponentSource, dumpInspector, inspectDump } from "../dump/mod.ts";
import { formatBackupId, formatUtcTime } from "../timestamp.ts";

/** What goes into an archive, and where it goes. */
export interface ArchiveBackupOptions {
  /** Made when it is missing; dumps lie here while the archive is written. */
  readonly directory: string;
  readonly neo4jEdition: Neo4jEdition;
  /**
   * Name of the Neo4j database: the Go tool looks for the dump under it.
   *
   * @default {"neo4j"}
   */
  readonly neo4jDatabase?: string;
  readonly infrahubVersion: string;
  readonly toolVersion: string;
  readonly redacted: boolean;
  /**
   * Host on which the tool runs.
   *
   * @default {""}
   */
  readonly host?: string;
  /** Whose dumps they are; undefined where nobody says so. */
  readonly deployment?: DeploymentIdentity;
  /** Of what wrote the data; undefined where nobody has asked. */
  readonly data?: DataFacts;
  /** Where it is remembered what the archive holds. */
  readonly records?: ArchiveRecords;
  /**
   * Archive files as they are. Otherwise each has to be the whole dump that it says it is.
   *
   * @default {false}
   */
  readonly rawDumps?: boolean;
  /** Public key: the archive is encrypted for its holder. */
  readonly recipient?: CryptoKey;
  readonly now: Date;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** An archive that has been written, read again and verified. */
export interface CreatedArchive {
  readonly backupId: string;
  readonly path: string;
  readonly components: readonly { readonly component: Component; readonly bytes: number }[];
  /** Size of the archive. */
  readonly bytes: number;
  readonly durationSeconds: number;
  /** What comparing it with others needs. */
  readonly facts?: ArchiveFacts;
}

/**
 * Archives the dumps of running commands. An archive announces the size of a file before its bytes,
 * so each dump lies in a private folder of the target directory until it is packed.
 *
 * @param onDumped called once all dumps have been read: what was stopped for them may start again
 * @throws {BackupFailedError} when a dump or the archive cannot be made; nothing is left behind
 */
export async function archiveDumps(
  sources: readonly ComponentSource[],
  options: ArchiveBackupOptions,
  onDumped: () => Promise<void>,
): Promise<CreatedArchive> {
  const started = performance.now();
  const { directory, neo4jEdition } = options;
  options.reporter.info("Creating backup", {
    backup_dir: directory,
    neo4j_edition: neo4jEdition,
  });
  await makeDirectory(directory);
  const folder = await Deno.makeTempDir({ dir: directory, prefix: ".infrahub_backup_" });
  try {
    const files: ArchiveSource[] = [];
    const components: { component: Component; bytes: number }[] = [];
    for (const source of sources) {
      const { archived, bytes } = await dumpToDisk(source, folder, options);
      files.push(archived);
      components.push({ component: source.component, bytes });
    }
    await onDumped();
    return await pack(files, components, options, started);
  } finally {
    await Deno.remove(folder, { recursive: true }).catch((error) => {
      options.reporter.warn(`Could not remove ${folder}: ${messageOf(error)}`);
    });
  }
}

/**
 * Archives dumps that are files already.
 *
 * @param neo4jPath a dump, or a directory whose contents are a backup
 * @throws {BackupFailedError} when a dump is not whole, or the archive cannot be made; nothing is left
 * behind
 */
export async function archiveFiles(
  neo4jPath: string,
  postgresPath: string | undefined,
  options: ArchiveBackupOptions,
): Promise<CreatedArchive> {
  const started = performance.now();
  const { isDirectory } = await Deno.stat(neo4jPath);
  const base = neo4jPath.replace(/\/+$/, "").split("/").at(-1) ?? "neo4j.dump";
  const { neo4jEdition, rawDumps = false } = options;
  const files: ArchiveSource[] = [
    isDirectory || neo4jEdition !== "community" || rawDumps
      ? { name: isDirectory ? "database" : `database/${base}`, path: neo4jPath }
      : await inspectedFile(`database/${base}`, neo4jPath, "neo4j"),
  ];
  const components: { component: Component; bytes: number }[] = [
    { component: "neo4j", bytes: await sizeOf(neo4jPath) },
  ];
  if (postgresPath !== undefined) {
    files.push(
      rawDumps
        ? { name: "prefect.dump", path: postgresPath }
        : await inspectedFile("prefect.dump", postgresPath, "postgres"),
    );
    components.push({ component: "postgres", bytes: await sizeOf(postgresPath) });
  }
  await makeDirectory(options.directory);
  return await pack(files, components, options, started);
}

/** A dump that is looked into on its way into the archive, which fails where it is not whole. */
async function inspectedFile(
  name: string,
  path: string,
  component: "neo4j" | "postgres",
): Promise<ArchiveSource> {
  const file = await Deno.open(path);
  const { size, mode, mtime, uid, gid } = await file.stat();
  return {
    name,
    size,
    content: inspectDump(file.readable, dumpInspector(component, "community")),
    attributes: {
      ...(mode === null ? {} : { mode: mode & 0o777 }),
      ...(mtime === null ? {} : { mtime }),
      ...(uid === null ? {} : { uid }),
      ...(gid === null ? {} : { gid }),
    },
  };
}

async function dumpToDisk(
  source: ComponentSource,
  folder: string,
  options: ArchiveBackupOptions,
): Promise<{ archived: ArchiveSource; bytes: number }> {
  const { component } = source;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  try {
    const input = await source.open(signal);
    try {
      if (component === "neo4j" && options.neo4jEdition === "enterprise") {
        const path = `${folder}/database`;
        const bytes = await unpackBackup(input.content, path);
        await input.finished;
        return { archived: { name: "database", path }, bytes };
      }
      const spooled = await spool(folder, input.content, { signal });
      await input.finished;
      const name = component === "postgres"
        ? "prefect.dump"
        : component === "storage"
        ? STORAGE_NAME
        : `database/${options.neo4jDatabase ?? "neo4j"}.dump`;
      return {
        archived: { name, path: spooled.path, attributes: { mode: 0o644 } },
        bytes: spooled.bytes,
      };
    } catch (error) {
      stop.abort(error);
      // The source's own error is the cause where it has one; a stopped one repeats ours.
      await input.finished;
      throw error;
    }
  } catch (error) {
    options.signal.throwIfAborted();
    throw new BackupFailedError(`failed to back up ${component}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function pack(
  files: readonly ArchiveSource[],
  components: CreatedArchive["components"],
  options: ArchiveBackupOptions,
  started: number,
): Promise<CreatedArchive> {
  const { reporter, signal, recipient, host = "", deployment } = options;
  const facts: ArchiveFacts = {
    components: components.map(({ component }) =>
      component === "postgres"
        ? "task-manager-db"
        : component === "storage"
        ? component
        : "database"
    ),
    origin: { host, run: newRunId(), ...(deployment === undefined ? {} : { deployment }) },
  };
  const data = dataFields(options.data ?? {});
  const { backupId, path, reservation } = await reserveName(options);
  reporter.info("Creating backup archive...");
  if (recipient !== undefined) reporter.info("Encrypting backup archive...");
  try {
    const archive = await writeArchive({
      path,
      sources: files,
      metadata: {
        metadataVersion: METADATA_VERSION,
        backupId: `infrahub_backup_${backupId}`,
        createdAt: formatUtcTime(options.now),
        toolVersion: options.toolVersion,
        infrahubVersion: options.infrahubVersion,
        components: facts.components,
        origin: originFields(facts.origin),
        ...(data === undefined ? {} : { data }),
        neo4jEdition: options.neo4jEdition,
        redacted: options.redacted,
        ...(options.rawDumps ? { rawDumps: true } : {}),
      },
      ...(recipient === undefined ? {} : { recipient }),
      signal,
    });
    await options.records?.add(path, archive.archiveBytes, facts).catch((error) => {
      reporter.debug(`Could not remember what is in ${path}: ${messageOf(error)}`);
    });
    reporter.info("Backup created successfully", {
      path,
      filename: path.split("/").at(-1) ?? path,
      size_bytes: archive.archiveBytes,
      size_human: formatSize(archive.archiveBytes),
    });
    return {
      backupId,
      path,
      components,
      bytes: archive.archiveBytes,
      durationSeconds: (performance.now() - started) / 1_000,
      facts,
    };
  } catch (error) {
    signal.throwIfAborted();
    throw new BackupFailedError(`failed to create archive: ${messageOf(error)}`, { cause: error });
  } finally {
    await Deno.remove(reservation).catch((error) => {
      reporter.warn(`Could not remove ${reservation}: ${messageOf(error)}`);
    });
  }
}

/** A name that no other run takes meanwhile. */
interface ReservedName {
  readonly backupId: string;
  readonly path: string;
  /** File that stands for the name until the archive has it. */
  readonly reservation: string;
}

/**
 * The next second whose name is free: two backups never share one, not even when both run at the
 * same time.
 */
async function reserveName(
  { directory, now, recipient }: ArchiveBackupOptions,
): Promise<ReservedName> {
  const folder = directory.replace(/\/+$/, "");
  for (let time = now.getTime();; time += 1_000) {
    const backupId = formatBackupId(new Date(time));
    const name = `${folder}/infrahub_backup_${backupId}.tar.gz`;
    const reservation = `${folder}/.infrahub_backup_${backupId}.reserved`;
    if (!await reserve(reservation)) continue;
    const taken = await Promise.all([name, `${name}.enc`].map(exists));
    if (!taken.includes(true)) {
      return { backupId, path: recipient === undefined ? name : `${name}.enc`, reservation };
    }
    await Deno.remove(reservation);
  }
}

/** Whether the file was made by us. */
async function reserve(path: string): Promise<boolean> {
  try {
    (await Deno.open(path, { write: true, createNew: true, mode: 0o600 })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

async function sizeOf(path: string): Promise<number> {
  const info = await Deno.lstat(path);
  if (!info.isDirectory) return info.size;
  let bytes = 0;
  for await (const entry of Deno.readDir(path)) bytes += await sizeOf(`${path}/${entry.name}`);
  return bytes;
}

/**
 * Makes sure that archives can be written to a directory, and makes it when it is missing. To be
 * called before a deployment is touched.
 *
 * @throws {BackupFailedError} when it cannot be made or written to
 */
export async function prepareArchiveDirectory(path: string): Promise<void> {
  await makeDirectory(path);
  try {
    await Deno.remove(await Deno.makeTempFile({ dir: path, prefix: ".infrahub_backup_" }));
  } catch (error) {
    throw new BackupFailedError(`cannot write to backup directory ${path}: ${problemOf(error)}`, {
      cause: error,
    });
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new BackupFailedError(
      `failed to create backup directory ${path}: ${problemOf(error)}`,
      {
        cause: error,
      },
    );
  }
}
