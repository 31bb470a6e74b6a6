import { problemOf } from "../../errors/mod.ts";
import { AtomicFile, directoryOf, removeIfThere, syncDirectory } from "../../files/mod.ts";
import { InvalidInputError } from "../errors.ts";
import { safeRelativePath } from "./restore_path.ts";

/** Attributes of a restored file. */
export interface RestoredAttributes {
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
  /** The files that have been written, by their final paths. */
  readonly #files = new Map<string, AtomicFile>();

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

  /** Writes a file under its `.part` name, for its owner alone, and syncs it. */
  async write(
    entryPath: string,
    attributes: RestoredAttributes,
    content: ContentWriter,
  ): Promise<{ path: string; bytes: number }> {
    const path = `${this.path}/${safeRelativePath(entryPath)}`;
    await this.#makeDirectory(directoryOf(path));
    const temporary = `${path}.part`; // two entries of one name never mix: its name is taken
    const file = await AtomicFile.create(path, { mode: 0o600, replace: true, temporary });
    this.#files.set(path, file);
    const bytes = await content((view) => file.write(view));
    await file.setAttributes({ mtime: attributes.mtime });
    await file.finish();
    return { path, bytes };
  }

  /** Gives all files their names. */
  async commit(): Promise<void> {
    for (const file of this.#files.values()) await file.publish();
    await syncDirectory(this.path);
    this.#files.clear();
    this.#created.length = 0;
  }

  /** Removes what was written, and the directories that were made for it. */
  async rollBack(): Promise<void> {
    for (const [path, file] of this.#files) {
      const removed = file.hasName ? removeIfThere(path) : file[Symbol.asyncDispose]();
      await removed.catch(() => {/* why the restore failed is what counts */});
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
