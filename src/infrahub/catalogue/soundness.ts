import type { Damage, SnapshotReader } from "../../kloset/mod.ts";
import { isComponent, possibleRecordPaths } from "../component.ts";
import { parseTags } from "./tags.ts";

/**
 * Looks for what makes a snapshot useless as a backup although all its bytes may be intact: errors
 * recorded when it was made, or no record of its component. The Go tool stores such snapshots when
 * a dump fails half-way, and lists them as complete.
 */
export async function findMissingContent(reader: SnapshotReader): Promise<Damage[]> {
  const snapshot = reader.header.identifier;
  const damage: Damage[] = (await reader.errors()).map(({ path, error }) => ({
    snapshot,
    path,
    message: `stored incompletely when the backup was made: ${error}`,
  }));
  const { component } = parseTags(reader.header.tags);
  if (component === undefined || !isComponent(component)) return damage;
  const paths = possibleRecordPaths(component);
  for (const path of paths) {
    const entry = await reader.stat(path);
    if (entry?.type === "file") return damage;
  }
  damage.push({
    snapshot,
    path: paths[0] ?? "/",
    message: `the ${component} snapshot does not contain ${paths.join(" or ")}`,
  });
  return damage;
}
