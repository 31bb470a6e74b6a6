import type { Repository, SnapshotReader } from "../../kloset/mod.ts";
import { possibleRecordPaths } from "../component.ts";
import type { RestorableDump, RestoreMaterial } from "../dump/mod.ts";
import type { DataFacts } from "../data_facts.ts";
import { DamagedSnapshotError } from "../errors.ts";
import { shortId } from "../show_values.ts";
import type { SelectedBackup } from "./backup_selection.ts";
import { findMissingContent } from "./soundness.ts";
import { parseTags } from "./tags.ts";

/**
 * The dumps of snapshots of a repository.
 *
 * @param selected snapshots, of which those of the task manager may be left aside
 * @throws {DamagedSnapshotError} when a snapshot lacks its content
 */
export async function repositoryMaterial(
  repository: Repository,
  { ids, isWhole }: Pick<SelectedBackup, "ids" | "isWhole">,
  excludeTaskManager: boolean,
): Promise<RestoreMaterial> {
  let facts = { backupId: "", infrahubVersion: "", neo4jEdition: "" };
  let data: DataFacts = {};
  const dumps = new Map<string, RestorableDump>();
  for (const id of ids) {
    const reader = await repository.openSnapshot(id);
    const { component = "", ...tags } = parseTags(reader.header.tags);
    facts = {
      backupId: facts.backupId || (tags.backupId ?? ""),
      infrahubVersion: facts.infrahubVersion || (tags.infrahubVersion ?? ""),
      neo4jEdition: facts.neo4jEdition || (tags.neo4jEdition ?? ""),
    };
    data = { ...tags.data, ...data };
    if (excludeTaskManager && component === "postgres") continue;
    const [missing] = await findMissingContent(reader);
    if (missing !== undefined) {
      throw new DamagedSnapshotError(
        `snapshot ${shortId(id)} (${component}) is damaged: ${missing.path}: ${missing.message}`,
      );
    }
    if (component === "neo4j" || component === "postgres" || component === "storage") {
      dumps.set(component, await snapshotDump(reader, component));
    }
  }
  return {
    ...facts,
    data,
    neo4j: dumps.get("neo4j"),
    postgres: dumps.get("postgres"),
    storage: dumps.get("storage"),
    isWhole,
  };
}

async function snapshotDump(
  reader: SnapshotReader,
  component: "neo4j" | "postgres" | "storage",
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
