import { entryNameProblem, normalizeEntryName, parentsOf } from "./entry_name.ts";
import { comparePaths } from "./order.ts";
import {
  followInside,
  namesIn,
  requireReadableNames,
  UnreadableNameError,
} from "../../files/mod.ts";
import { attempt } from "../io/mod.ts";
import { InvalidSourceError } from "../errors.ts";
import { METADATA_NAME } from "../layout.ts";

/** Attributes of an entry; what is left out is that of the file, for a stream 0644, now and root. */
export interface SourceAttributes {
  /** Permission bits. */
  readonly mode?: number;
  readonly mtime?: Date;
  readonly uid?: number;
  readonly gid?: number;
}

/** A file of the archive that comes from a stream, read once. */
export interface StreamSource {
  /** Path relative to `backup/`, such as `prefect.dump`. */
  readonly name: string;
  readonly content: ReadableStream<Uint8Array>;
  /**
   * Bytes of the stream. A tar announces the size of an entry before its bytes: a stream of unknown
   * size goes to disk first, see `spool`.
   */
  readonly size: number;
  readonly attributes?: SourceAttributes;
}

/** A file on disk, or a directory with all that is in it. */
export interface PathSource {
  /** Path relative to `backup/`, such as `database`. */
  readonly name: string;
  readonly path: string;
  /** Used for a file; what is in a directory has its own. */
  readonly attributes?: SourceAttributes;
}

/** Something to archive. */
export type ArchiveSource = StreamSource | PathSource;

/** A file of the archive to be. */
export interface PlannedFile {
  readonly kind: "file";
  readonly name: string;
  readonly source: ArchiveSource;
}

/** A directory of the archive to be; without a source when it is only implied by a name. */
export interface PlannedDirectory {
  readonly kind: "directory";
  readonly name: string;
  readonly path?: string;
}

/**
 * Lists the entries that sources make, in the order of a walk that sorts every directory.
 *
 * A symbolic link inside a directory is followed where it leads to a file of that directory.
 *
 * @throws {InvalidSourceError} for names that no archive may have, names given twice, other links and
 * special files
 * @throws {ArchiveIoError} when a path cannot be read
 */
export async function planEntries(
  sources: readonly ArchiveSource[],
): Promise<(PlannedFile | PlannedDirectory)[]> {
  const entries = new Map<string, PlannedFile | PlannedDirectory>();
  const add = (entry: PlannedFile | PlannedDirectory) => {
    for (const parent of parentsOf(entry.name)) {
      const known = entries.get(parent);
      if (known?.kind === "file") throw invalid(parent, "is a file and a directory");
      if (known === undefined) entries.set(parent, { kind: "directory", name: parent });
    }
    const known = entries.get(entry.name);
    // A directory that another name implied gets its own attributes.
    const implied = known?.kind === "directory" && known.path === undefined;
    if (known !== undefined && !(implied && entry.kind === "directory")) {
      throw invalid(entry.name, "is given twice");
    }
    entries.set(entry.name, entry);
  };
  for (const source of sources) {
    requireUsableName(source.name);
    if ("path" in source) {
      const info = await attempt(`Cannot read "${source.path}"`, Deno.stat(source.path));
      if (info.isDirectory) await requireNames(requireReadableNames(source.path));
      await addPath(source, info, add, source.path);
    } else {
      add({ kind: "file", name: source.name, source });
    }
  }
  return [...entries.values()].sort((a, b) => comparePaths(a.name, b.name));
}

async function addPath(
  source: PathSource,
  info: Deno.FileInfo,
  add: (entry: PlannedFile | PlannedDirectory) => void,
  root: string,
): Promise<void> {
  const { name, path } = source;
  if (info.isSymlink) {
    const target = await attempt(`Cannot read "${path}"`, followInside(root, path));
    if (target !== undefined) {
      return add({ kind: "file", name, source: { name, path: target.path } });
    }
  }
  if (info.isFile) return add({ kind: "file", name, source });
  if (!info.isDirectory) {
    throw invalid(
      name,
      `is ${
        info.isSymlink ? "a symbolic link that leads to no file inside" : "a special file"
      }: ${path}`,
    );
  }
  add({ kind: "directory", name, path });
  for (const child of await attempt(`Cannot read "${path}"`, requireNames(namesIn(path)))) {
    const childPath = `${path.replace(/\/+$/, "")}/${child}`;
    const childName = `${name}/${child}`;
    requireUsableName(childName);
    const childInfo = await attempt(`Cannot read "${childPath}"`, Deno.lstat(childPath));
    await addPath({ name: childName, path: childPath }, childInfo, add, root);
  }
}

/** A name that cannot be told is a source that cannot be archived. */
async function requireNames<Value>(names: Promise<Value>): Promise<Value> {
  try {
    return await names;
  } catch (error) {
    if (!(error instanceof UnreadableNameError)) throw error;
    throw new InvalidSourceError(`Cannot archive ${error.message}`, { cause: error });
  }
}

function requireUsableName(name: string): void {
  const problem = entryNameProblem(name);
  if (problem !== undefined) throw invalid(name, `cannot be a name: ${problem}`);
  if (name === "" || normalizeEntryName(name) !== name) throw invalid(name, "cannot be a name");
  if (name === METADATA_NAME) throw invalid(name, "is made by the archive itself");
}

function invalid(name: string, problem: string): InvalidSourceError {
  return new InvalidSourceError(`Cannot archive ${JSON.stringify(name)}: it ${problem}`);
}
