import { problemOf } from "../../errors/mod.ts";
import { InvalidInputError } from "../errors.ts";
import { safeRelativePath } from "./restore_path.ts";

/** Attributes of a restored file. */
export interface RestoredAttributes {
  /** Permission bits. */
  readonly mode: number;
  readonly mtime: Date;
}

/** What {@linkcode RestoreDirectory} needs for the content of a file. */
export type ContentWriter = (
  write: (bytes: Uint8Array) => Promise<void>,
) => Promise<number>;

/**
 * A directory into which files are restored all or none: each has a `.part` name until every one
 * of them is verified and on the disk.
 */
export class RestoreDirectory {
  readonly path: string;
  /** Directories that did not exist before, outermost first. */
  readonly #created: string[] = [];
  /** Final paths of the files that have been written. */
  readonly #files = new Set<string>();

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Takes a directory that is empty or does not exist; nothing is created yet.
   *
   * @throws {InvalidInputError} when it has content, is no directory or cannot be read
   */
  static async at(path: string): Promise<RestoreDirectory> {
    try {
      for await (const entry of Deno.readDir(path)) {
        throw new InvalidInputError(
          `target directory is not empty: ${path} contains ${JSON.stringify(entry.name)}`,
        );
      }
    } catch (error) {
      if (error instanceof InvalidInputError) throw error;
      if (!(error instanceof Deno.errors.NotFound)) {
        throw new InvalidInputError(
          `target directory not accessible: ${path}: ${problemOf(error)}`,
          { cause: error },
        );
      }
    }
    return new RestoreDirectory(path.length > 1 ? path.replace(/\/+$/, "") : path);
  }

  /** Writes a file under its `.part` name and syncs it. */
  async write(
    entryPath: string,
    attributes: RestoredAttributes,
    content: ContentWriter,
  ): Promise<{ path: string; bytes: number }> {
    const path = `${this.path}/${safeRelativePath(entryPath)}`;
    await this.#makeDirectory(path.slice(0, path.lastIndexOf("/")));
    // createNew: two entries of one name never mix, and a link is never followed.
    using file = await Deno.open(`${path}.part`, { write: true, createNew: true, mode: 0o600 });
    this.#files.add(path);
    const bytes = await content((view) => writeAll(file, view));
    await file.utime(attributes.mtime, attributes.mtime);
    await Deno.chmod(`${path}.part`, attributes.mode & 0o777); // never setuid or setgid
    await file.sync();
    return { path, bytes };
  }

  /** Gives all files their names. */
  async commit(): Promise<void> {
    for (const path of this.#files) await Deno.rename(`${path}.part`, path);
    const directories = [...this.#files].map((path) => path.slice(0, path.lastIndexOf("/")));
    for (const directory of new Set([...directories, this.path])) {
      using handle = await Deno.open(directory);
      await handle.sync();
    }
    this.#files.clear();
    this.#created.length = 0;
  }

  /** Removes what was written, and the directories that were made for it. */
  async rollBack(): Promise<void> {
    for (const path of this.#files) {
      for (const name of [`${path}.part`, path]) {
        await Deno.remove(name).catch(() => {/* only one of both names exists */});
      }
    }
    for (const directory of this.#created.toReversed()) {
      await Deno.remove(directory).catch(() => {/* somebody else uses it by now: left alone */});
    }
  }

  async #makeDirectory(path: string): Promise<void> {
    const missing: string[] = [];
    for (let current = path; current !== ""; current = current.slice(0, current.lastIndexOf("/"))) {
      const exists = await Deno.stat(current).then(() => true, () => false);
      if (exists) break;
      missing.unshift(current);
      if (!current.includes("/")) break;
    }
    for (const directory of missing) {
      await Deno.mkdir(directory, { mode: 0o700 }); // dumps are nobody else's business
      this.#created.push(directory);
    }
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}
