import { type Archive, STORAGE_NAME } from "../../archive/mod.ts";
import { readDataFields } from "../data_facts.ts";
import type { RestorableDump, RestoreMaterial } from "../dump/mod.ts";
import { archiveTar } from "./_archive_tar.ts";

/** The dumps of a verified archive. The files of an Enterprise backup become a tar again. */
export function archiveMaterial(archive: Archive, excludeTaskManager: boolean): RestoreMaterial {
  const { metadata } = archive;
  const stream = (name: string): RestorableDump["copy"] => async (write, signal) => {
    for await (const bytes of archive.streamEntry(name, { signal })) await write(bytes);
  };
  const database = archive.files.filter((file) => file.name.startsWith("database/"));
  const dump = database.find((file) => file.name.endsWith(".dump"));
  const prefect = archive.files.find((file) => file.name === "prefect.dump");
  const storage = archive.files.find((file) => file.name === STORAGE_NAME);
  const neo4j = dump !== undefined && database.length === 1
    ? { name: "neo4j.dump", bytes: dump.bytes, copy: stream(dump.name) }
    : database.length > 0
    ? archiveTar(archive, database)
    : undefined;
  return {
    backupId: metadata.backupId.replace(/^infrahub_backup_/, ""),
    infrahubVersion: metadata.infrahubVersion,
    neo4jEdition: metadata.neo4jEdition,
    data: readDataFields(metadata.data),
    neo4j,
    postgres: prefect === undefined || excludeTaskManager
      ? undefined
      : { name: prefect.name, bytes: prefect.bytes, copy: stream(prefect.name) },
    storage: storage && { name: storage.name, bytes: storage.bytes, copy: stream(storage.name) },
    isWhole: true,
  };
}
