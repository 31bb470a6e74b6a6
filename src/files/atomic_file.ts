import { exists, removeIfThere } from "./exists.ts";
import { baseNameOf, directoryOf, randomName } from "./names.ts";
import { syncDirectory } from "./sync_directory.ts";
import { writeAll } from "./write_all.ts";

/** Who is about to give a file its name takes milliseconds for it; who takes longer was cut off. */
const RIGHT_LIMIT_MS = 10_000;
const RIGHT_POLL_MS = 50;

/** How an {@linkcode AtomicFile} is made. */
export interface AtomicFileOptions {
  /** Permission bits that it is created with; the umask takes away from them. */
  readonly mode: number;
  /** Whether it takes the place of a file that has its name; else the name has to be free. */
  readonly replace: boolean;
  /**
   * Its path until it has its name, on the same file system.
   *
   * @default {a hidden random name beside the target, ending in `.part`}
   */
  readonly temporary?: string;
}

/**
 * A file that gets its name when it is complete and on the disk; until then it has a temporary one,
 * and is removed when it is let go.
 *
 * Write, {@linkcode finish}, {@linkcode publish}; let it go in any case.
 */
export class AtomicFile implements AsyncDisposable {
  /** Where it lies until it has its name. */
  readonly temporary: string;
  readonly #target: string;
  readonly #replace: boolean;
  #file: Deno.FsFile | undefined;
  #state: "temporary" | "named" | "removed" = "temporary";

  private constructor(
    file: Deno.FsFile,
    target: string,
    temporary: string,
    replace: boolean,
  ) {
    this.#file = file;
    this.#target = target;
    this.temporary = temporary;
    this.#replace = replace;
  }

  /**
   * Creates the file under its temporary name; nothing that is there is ever opened, be it a link.
   *
   * @throws {Deno.errors.AlreadyExists} the name is taken and must not be replaced, or the temporary
   * one is taken
   */
  static async create(
    target: string,
    { mode, replace, temporary = temporaryNameOf(target) }: AtomicFileOptions,
  ): Promise<AtomicFile> {
    if (!replace) await requireFree(target);
    const file = await Deno.open(temporary, { write: true, createNew: true, mode });
    return new AtomicFile(file, target, temporary, replace);
  }

  /** Whether the file has got its name; {@linkcode publish} may have failed all the same. */
  get hasName(): boolean {
    return this.#state === "named";
  }

  /** Appends. */
  async write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#open(), bytes);
  }

  /** Replaces the first bytes; whatever is written next follows them. */
  async overwriteStart(bytes: Uint8Array): Promise<void> {
    await this.#open().seek(0, Deno.SeekMode.Start);
    await this.write(bytes);
  }

  /** Sets permission bits whatever the umask, and the time of the last change. */
  async setAttributes({ mode, mtime }: { readonly mode?: number; readonly mtime?: Date }) {
    if (mtime !== undefined) await this.#open().utime(mtime, mtime);
    if (mode !== undefined) await Deno.chmod(this.temporary, mode);
  }

  /** Makes all that was written durable, and closes the file. */
  async finish(): Promise<void> {
    const file = this.#open();
    await file.sync();
    this.#file = undefined;
    file.close();
  }

  /**
   * Gives the finished file its name, durably. May be called again when it has failed for the folder,
   * and somebody has made it.
   *
   * @throws {Deno.errors.AlreadyExists} somebody has taken the name, which must not be replaced
   */
  async publish(): Promise<void> {
    if (this.#file !== undefined) throw new TypeError(`"${this.temporary}" is not finished`);
    if (this.#replace) await Deno.rename(this.temporary, this.#target);
    else await this.#takeFreeName();
    this.#state = "named";
    await syncDirectory(directoryOf(this.#target));
  }

  /** Closes and removes what has not got its name; idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#file?.close();
    this.#file = undefined;
    if (this.#state !== "temporary") return;
    this.#state = "removed";
    await removeIfThere(this.temporary);
  }

  /** A rename would replace what somebody else has given the name meanwhile; a hard link cannot. */
  async #takeFreeName(): Promise<void> {
    try {
      await Deno.link(this.temporary, this.#target);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw error;
      // Some file systems have no hard links.
      await this.#renameToFreeName();
      return;
    }
    this.#state = "named";
    await removeIfThere(this.temporary);
  }

  /**
   * A folder is made by one client alone, on every file system: who has made this one looks whether the
   * name is free, and takes it.
   */
  async #renameToFreeName(): Promise<void> {
    const right = `${directoryOf(this.#target)}/tmp.${baseNameOf(this.#target)}.taken`;
    let seen = "";
    let sinceMs = performance.now();
    while (!await hasMade(right)) {
      await requireFree(this.#target);
      const { ino, mtime } = await Deno.stat(right).catch(() => ({ ino: null, mtime: null }));
      const current = `${ino} ${mtime?.getTime()}`;
      if (current !== seen) {
        seen = current;
        sinceMs = performance.now();
      } else if (performance.now() - sinceMs > RIGHT_LIMIT_MS) {
        await removeIfThere(right);
      }
      await new Promise((resolve) => setTimeout(resolve, RIGHT_POLL_MS));
    }
    try {
      await requireFree(this.#target);
      await Deno.rename(this.temporary, this.#target);
      this.#state = "named";
    } finally {
      await removeIfThere(right);
    }
  }

  #open(): Deno.FsFile {
    if (this.#file === undefined) throw new TypeError(`"${this.temporary}" is closed`);
    return this.#file;
  }
}

/** How {@linkcode writeFileAtomically} writes. */
export interface WriteOptions extends Omit<AtomicFileOptions, "temporary"> {
  /**
   * Whether the umask takes nothing away from the mode.
   *
   * @default {false}
   */
  readonly exactMode?: boolean;
}

/**
 * Writes a whole file in one step: whoever opens it finds all of it, and it survives a power cut.
 *
 * @throws {Deno.errors.AlreadyExists} the name is taken, and must not be replaced
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string,
  { mode, replace, exactMode = false }: WriteOptions,
): Promise<void> {
  // What will be given away by its exact mode is nobody's business before.
  const creation = { mode: exactMode ? mode & 0o600 : mode, replace };
  await using file = await AtomicFile.create(path, creation);
  await file.write(typeof content === "string" ? new TextEncoder().encode(content) : content);
  if (exactMode) await file.setAttributes({ mode });
  await file.finish();
  await file.publish();
}

function temporaryNameOf(target: string): string {
  return `${directoryOf(target)}/.${baseNameOf(target)}.${randomName()}.part`;
}

/** Whether this client has made a folder, and nobody else. */
async function hasMade(path: string): Promise<boolean> {
  try {
    await Deno.mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

async function requireFree(path: string): Promise<void> {
  if (await exists(path)) throw new Deno.errors.AlreadyExists(`"${path}" exists already`);
}
