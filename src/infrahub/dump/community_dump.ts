import { problemOf } from "../../errors/mod.ts";
import { InvalidInputError } from "../errors.ts";

/** What `neo4j-admin database dump` calls the dump of the database that Infrahub uses. */
const USUAL_NAME = "neo4j.dump";

/**
 * The Community dump that a path means: the file itself, or the one dump in a directory.
 *
 * @returns the path of the file, or the path as given where it is no directory
 * @throws {InvalidInputError} when a directory holds none, or several of which none has the usual name
 */
export async function communityDumpAt(path: string): Promise<string> {
  const dumps: string[] = [];
  try {
    if (!(await Deno.stat(path)).isDirectory) return path;
    for await (const entry of Deno.readDir(path)) {
      if (entry.name.endsWith(".dump")) dumps.push(entry.name);
    }
  } catch (error) {
    throw new InvalidInputError(
      `neo4j backup path not accessible: ${path}: ${problemOf(error)}`,
      {
        cause: error,
      },
    );
  }
  const [only] = dumps;
  const name = dumps.includes(USUAL_NAME) ? USUAL_NAME : dumps.length === 1 ? only : undefined;
  if (name !== undefined) return `${path.replace(/\/+$/, "")}/${name}`;
  throw new InvalidInputError(
    dumps.length === 0
      ? `neo4j backup path contains no .dump file: ${path}`
      : `neo4j backup path contains several dumps, name one of them: ${dumps.sort().join(", ")}`,
  );
}
