import { baseNameOf, directoryOf, exists, randomName, syncDirectory, writeAll } from "./files.ts";
import { attempt } from "./problem.ts";
import { AlreadyExistsError } from "../errors.ts";

/**
 * A file that gets its name when it is complete and on the disk; until then it has a private one
 * beside it, and is removed when it is let go.
 */
export class TemporaryFile implements AsyncDisposable {
  readonly path: string;
  readonly #target: string;
  readonly #what: string;
  #file: Deno.FsFile | undefined;
  #removed = false;

  private constructor(target: string, path: string, what: string, file: Deno.FsFile) {
    this.#target = target;
    this.path = path;
    this.#what = what;
    this.#file = file;
  }

  /**
   * @throws {AlreadyExistsError} when the name is taken
   * @throws {ArchiveIoError} when it cannot be created
   */
  static async create(target: string, what: string, mode: number): Promise<TemporaryFile> {
    await requireFree(target, what);
    const path = `${directoryOf(target)}/.${baseNameOf(target)}.${randomName()}.part`;
    const options = { write: true, createNew: true, mode };
    return new TemporaryFile(target, path, what, await attempt(what, Deno.open(path, options)));
  }

  /** Appends. */
  async write(bytes: Uint8Array): Promise<void> {
    await attempt(this.#what, writeAll(this.#open(), bytes));
  }

  /** Replaces the first bytes. */
  async overwriteStart(bytes: Uint8Array): Promise<void> {
    await attempt(this.#what, this.#open().seek(0, Deno.SeekMode.Start));
    await this.write(bytes);
  }

  /** Makes all that was written durable, and closes the file. */
  async finish(): Promise<void> {
    const file = this.#open();
    await attempt(this.#what, file.sync());
    this.#file = undefined;
    file.close();
  }

  /** Gives the finished file its name. */
  async publish(): Promise<void> {
    // Between this look and the rename somebody could still take the name; a hard link could not
    // be overtaken, but many network file systems have none.
    await requireFree(this.#target, this.#what);
    await attempt(this.#what, Deno.rename(this.path, this.#target));
    this.#removed = true;
    await attempt(this.#what, syncDirectory(this.#target));
  }

  /** Removes what has not got its name; idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#file?.close();
    this.#file = undefined;
    if (this.#removed) return;
    this.#removed = true;
    await Deno.remove(this.path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }

  #open(): Deno.FsFile {
    if (this.#file === undefined) throw new TypeError(`"${this.path}" is closed`);
    return this.#file;
  }
}

async function requireFree(path: string, what: string): Promise<void> {
  if (await attempt(what, exists(path))) {
    throw new AlreadyExistsError(`${what}: it exists already`);
  }
}
