import { messageOf } from "../../errors/mod.ts";
import { AtomicFile, directoryOf, removeIfThere, syncDirectory } from "../../files/mod.ts";
import {
  CorruptionError,
  ObjectNotFoundError,
  RepositoryExistsError,
  StoreError,
} from "../errors.ts";
import {
  isObjectName,
  type ObjectKind,
  type ObjectWriter,
  type Store,
  type StorePresence,
} from "./store.ts";

/** Folder of each kind of object; locks have no buckets. */
const FOLDERS: Readonly<Record<ObjectKind, string>> = {
  packfile: "packfiles",
  state: "states",
  lock: "locks",
};

const BUCKETS = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, "0"));

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const TEMPORARY_PREFIX = "tmp.";

/** Names that runs have taken; see {@linkcode Store.claim}. */
const CLAIMS = "claims";

/**
 * A repository in a directory, laid out as plakar's file system integration does it
 * (format reference, section 1.1).
 *
 * @example Look at a directory without changing it
 * ```ts
 * import { FileSystemStore } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const store = new FileSystemStore(await Deno.makeTempDir());
 * assertEquals(await store.presence(), "absent");
 * ```
 */
export class FileSystemStore implements Store {
  readonly location: string;
  readonly #root: string;

  /**
   * @param root absolute path of the repository's directory
   */
  constructor(root: string) {
    this.#root = root;
    this.location = `fs://${root}`;
  }

  async presence(): Promise<StorePresence> {
    const names = await this.#attempt(
      `Cannot open repository "${this.#root}"`,
      () => entryNames(this.#root),
    ).catch((error: unknown): string[] => {
      if (error instanceof ObjectNotFoundError) return [];
      throw error;
    });
    if (names.includes("CONFIG")) return "repository";
    const isCutOff = await this.#attempt(
      `Cannot open repository "${this.#root}"`,
      () => this.#isCutOffCreation(names),
    );
    return isCutOff ? "absent" : "foreign";
  }

  /** A creation that was cut off has folders and buckets, but no object in them. */
  async #isCutOffCreation(names: readonly string[]): Promise<boolean> {
    for (const folder of names) {
      // A file system's own folder at the root of a mount, which not everybody may look into.
      if (folder.startsWith(TEMPORARY_PREFIX) || folder === "lost+found") continue;
      if (!Object.values(FOLDERS).includes(folder)) return false;
      const buckets = await folderEntryNames(`${this.#root}/${folder}`);
      if (buckets === undefined) return false;
      for (const bucket of buckets) {
        if (bucket.startsWith(TEMPORARY_PREFIX)) continue;
        if (!BUCKETS.includes(bucket)) return false;
        const objects = await folderEntryNames(`${this.#root}/${folder}/${bucket}`);
        if (objects === undefined || objects.length > 0) return false;
      }
    }
    return true;
  }

  async create(configuration: Uint8Array): Promise<void> {
    await this.#attempt(`Cannot create repository "${this.#root}"`, async () => {
      await Deno.mkdir(this.#root, { recursive: true, mode: DIRECTORY_MODE });
      for (const folder of [FOLDERS.packfile, FOLDERS.state]) {
        const buckets = `${this.#root}/${folder}`;
        await Deno.mkdir(buckets, { recursive: true, mode: DIRECTORY_MODE });
        await Promise.all(
          BUCKETS.map((bucket) =>
            Deno.mkdir(`${buckets}/${bucket}`, { recursive: true, mode: DIRECTORY_MODE })
          ),
        );
      }
      await Deno.mkdir(`${this.#root}/${FOLDERS.lock}`, { recursive: true, mode: DIRECTORY_MODE });
      // CONFIG last, and the folders on the disk before it: where it is, they are.
      for (const folder of [FOLDERS.packfile, FOLDERS.state]) {
        await syncDirectory(`${this.#root}/${folder}`);
      }
      try {
        // The name has to be free: to replace the CONFIG that another client has created meanwhile
        // would leave its packfiles without a repository that they belong to.
        await using file = await AtomicFile.create(`${this.#root}/CONFIG`, {
          mode: FILE_MODE,
          replace: false,
          temporary: this.#temporaryPath(""),
        });
        await file.write(configuration);
        await file.finish();
        await file.publish();
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
        throw new RepositoryExistsError(
          `Cannot create repository "${this.#root}": somebody else has created one at the same time`,
          { cause: error },
        );
      }
      await syncParent(this.#root);
    });
  }

  readConfiguration(): Promise<Uint8Array> {
    return this.#attempt(
      `Cannot open repository "${this.#root}"`,
      () => Deno.readFile(`${this.#root}/CONFIG`),
    );
  }

  list(kind: ObjectKind): Promise<string[]> {
    return this.#attempt(
      `Cannot list ${FOLDERS[kind]} of "${this.#root}"`,
      async () => (await Promise.all(await this.#listings(kind))).flat(),
    );
  }

  listSizes(kind: ObjectKind): Promise<Map<string, number>> {
    return this.#attempt(`Cannot list ${FOLDERS[kind]} of "${this.#root}"`, async () => {
      const sizes = new Map<string, number>();
      // One bucket after the other: tens of thousands of questions at once are no faster.
      for (const listing of await this.#listings(kind)) {
        await Promise.all((await listing).map(async (id) => {
          const size = await sizeOrUndefined(this.#path(kind, id));
          if (size !== undefined) sizes.set(id, size);
        }));
      }
      return sizes;
    });
  }

  /** Names of objects, by the folders that they are in. */
  async #listings(kind: ObjectKind): Promise<Promise<string[]>[]> {
    const folder = `${this.#root}/${FOLDERS[kind]}`;
    const names = await entryNames(folder);
    if (kind === "lock") return [Promise.resolve(names.filter(isObjectName))];
    const buckets = names.filter((name) => BUCKETS.includes(name));
    const listings = buckets.map(async (bucket) =>
      (await entryNames(`${folder}/${bucket}`))
        .filter((name) => isObjectName(name) && name.startsWith(bucket))
    );
    for (const listing of listings) {
      listing.catch(() => {
        // Thrown to whoever awaits it; without a handler now it would end the process first.
      });
    }
    return listings;
  }

  readAll(kind: ObjectKind, id: string): Promise<Uint8Array> {
    return this.#attempt(`Cannot read ${kind} ${id}`, () => Deno.readFile(this.#path(kind, id)));
  }

  read(kind: ObjectKind, id: string, offset: number, target: Uint8Array): Promise<void> {
    return this.#attempt(`Cannot read ${kind} ${id}`, async () => {
      using file = await Deno.open(this.#path(kind, id), { read: true });
      if (offset > 0) await file.seek(offset, Deno.SeekMode.Start);
      let filled = 0;
      while (filled < target.length) {
        const count = await file.read(target.subarray(filled));
        if (count === null) {
          throw new CorruptionError(
            `Cannot read ${kind} ${id}: it ends at byte ${offset + filled}, ` +
              `but ${offset + target.length} are needed`,
            kind === "packfile" ? { packfile: id } : {},
          );
        }
        filled += count;
      }
    });
  }

  size(kind: ObjectKind, id: string): Promise<number> {
    return this.#attempt(
      `Cannot read ${kind} ${id}`,
      async () => (await Deno.stat(this.#path(kind, id))).size,
    );
  }

  async put(kind: ObjectKind, id: string, bytes: Uint8Array): Promise<void> {
    const writer = await this.openWriter(kind, id);
    try {
      await writer.write(bytes);
      await writer.close();
    } finally {
      await writer.abort();
    }
  }

  openWriter(kind: ObjectKind, id: string): Promise<ObjectWriter> {
    return this.#attempt(`Cannot write ${kind} ${id}`, async () => {
      const temporary = this.#temporaryPath(kind === "lock" ? "" : `/${FOLDERS[kind]}`);
      const target = this.#path(kind, id);
      return new FileWriter(
        await AtomicFile.create(target, { mode: FILE_MODE, replace: true, temporary }),
        target,
        // A lock that is refreshed stays as it was before.
        kind === "lock",
        (action) => this.#attempt(`Cannot write ${kind} ${id}`, action),
      );
    });
  }

  delete(kind: ObjectKind, id: string): Promise<void> {
    return this.#attempt(
      `Cannot delete ${kind} ${id}`,
      () => removeIfThere(this.#path(kind, id)),
    );
  }

  claim(name: string): Promise<(() => Promise<void>) | undefined> {
    const folder = `${this.#root}/${CLAIMS}`;
    const path = `${folder}/${name}`;
    return this.#attempt(`Cannot take the name ${name}`, async () => {
      for (;;) {
        await Deno.mkdir(folder, { recursive: true, mode: DIRECTORY_MODE });
        try {
          (await Deno.open(path, { write: true, createNew: true, mode: FILE_MODE })).close();
          break;
        } catch (error) {
          if (error instanceof Deno.errors.AlreadyExists) return undefined;
          // Whoever gave the last name back has removed the folder meanwhile.
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
      return () =>
        this.#attempt(`Cannot give back the name ${name}`, async () => {
          await removeIfThere(path);
          // Another name may be in it.
          await Deno.remove(folder).catch(() => {});
        });
    });
  }

  removeAbandoned(beforeMs: number): Promise<void> {
    return this.#attempt(`Cannot clean up "${this.#root}"`, async () => {
      for (const folder of ["", `/${FOLDERS.packfile}`, `/${FOLDERS.state}`]) {
        for (const name of await entryNames(this.#root + folder)) {
          if (!name.startsWith(TEMPORARY_PREFIX)) continue;
          const path = `${this.#root}${folder}/${name}`;
          if (await writtenBefore(path, beforeMs)) await removeIfThere(path);
        }
      }
    });
  }

  #path(kind: ObjectKind, id: string): string {
    const folder = `${this.#root}/${FOLDERS[kind]}`;
    return kind === "lock" ? `${folder}/${id}` : `${folder}/${id.slice(0, 2)}/${id}`;
  }

  #temporaryPath(folder: string): string {
    const digits = crypto.getRandomValues(new BigUint64Array(1))[0]!.toString();
    return `${this.#root}${folder}/${TEMPORARY_PREFIX}${digits}`;
  }

  /** Runs a store operation; its errors become {@linkcode StoreError}s that say what was tried. */
  async #attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof CorruptionError || error instanceof StoreError) throw error;
      if (error instanceof Deno.errors.NotFound) {
        throw new ObjectNotFoundError(`${what}: it does not exist`, { cause: error });
      }
      throw new StoreError(`${what}: ${messageOf(error)}`, { cause: error });
    }
  }
}

class FileWriter implements ObjectWriter {
  readonly #file: AtomicFile;
  readonly #target: string;
  readonly #replaces: boolean;
  readonly #attempt: <T>(action: () => Promise<T>) => Promise<T>;

  constructor(
    file: AtomicFile,
    target: string,
    replaces: boolean,
    attempt: <T>(action: () => Promise<T>) => Promise<T>,
  ) {
    this.#file = file;
    this.#target = target;
    this.#replaces = replaces;
    this.#attempt = attempt;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#attempt(() => this.#file.write(bytes));
  }

  async close(): Promise<void> {
    try {
      await this.#attempt(async () => {
        await this.#file.finish();
        try {
          await publishInto(directoryOf(this.#target), this.#file);
        } catch (error) {
          // Both or neither: who is told of a failure must not find the object later.
          if (this.#file.hasName && !this.#replaces) await removeIfThere(this.#target);
          throw error;
        }
      });
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    try {
      await this.#file[Symbol.asyncDispose]();
    } catch {
      // Best effort: readers pass over temporary names, and the first failure is what matters.
    }
  }
}

async function entryNames(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(directory)) names.push(entry.name);
  return names;
}

/** What is in a folder; undefined where it is not a folder. */
async function folderEntryNames(path: string): Promise<string[] | undefined> {
  try {
    return await entryNames(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** A file's length in bytes; undefined where it has gone. */
async function sizeOrUndefined(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether a file was last written before a time; false where that is unknown, or it has gone. */
async function writtenBefore(path: string, timeMs: number): Promise<boolean> {
  try {
    const { mtime } = await Deno.stat(path);
    return mtime !== null && mtime.getTime() < timeMs;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Gives a file its name; makes the folder where another tool has left it out. */
async function publishInto(folder: string, file: AtomicFile): Promise<void> {
  try {
    await file.publish();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.mkdir(folder, { recursive: true, mode: DIRECTORY_MODE });
    await file.publish();
  }
}

/** Makes a new directory's own name durable, where the user may read the folder that it is in. */
async function syncParent(path: string): Promise<void> {
  try {
    await syncDirectory(directoryOf(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
}
