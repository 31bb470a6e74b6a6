import { cleanPath, type FileType, fileTypeOf, parentPath } from "../format/mod.ts";
import type { TreeEntry } from "./tree_writer.ts";

/** The entries of a snapshot being written, which fit together as those of a file system do. */
export class EntrySet {
  readonly #entries = new Map<string, TreeEntry>();
  /** Directories that entries lie in, added or not. */
  readonly #parents = new Set(["/"]);

  /** By path, in the order in which they were added. */
  get byPath(): ReadonlyMap<string, TreeEntry> {
    return this.#entries;
  }

  /**
   * Refuses a path that cannot be added; `/` can be, by {@linkcode add} alone.
   *
   * @throws {TypeError} it is malformed, taken, or lies in what is no directory
   */
  assertFree(path: string, type: FileType): void {
    const refused = (problem: string) => new TypeError(`Cannot add "${path}": ${problem}`);
    // Text that is not well-formed would be stored under another name.
    if (!path.startsWith("/") || path === "/" || cleanPath(path) !== path || !path.isWellFormed()) {
      throw refused("the path is not absolute and clean");
    }
    if (this.#entries.has(path)) throw refused("it was added already");
    if (type !== "directory" && this.#parents.has(path)) throw refused("other entries lie in it");
    for (let at = parentPath(path); !this.#parents.has(at); at = parentPath(at)) {
      const entry = this.#entries.get(at);
      if (entry !== undefined && fileTypeOf(entry.info.mode) !== "directory") {
        throw refused(`"${at}" is not a directory`);
      }
    }
  }

  /** Adds an entry; one of the same path is replaced. */
  add(entry: TreeEntry): void {
    this.#entries.set(entry.path, entry);
    for (let at = parentPath(entry.path); !this.#parents.has(at); at = parentPath(at)) {
      this.#parents.add(at);
    }
  }
}
