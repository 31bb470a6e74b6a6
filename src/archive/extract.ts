import { baseNameOf, directoryOf, randomName, syncDirectory, writeAll } from "../files/mod.ts";
import { attempt } from "./io/mod.ts";
import { AlreadyExistsError } from "./errors.ts";
import { BACKUP_DIRECTORY } from "./layout.ts";
import type { ArchiveFile } from "./verify.ts";

/**
 * Writes verified files under `<directory>/backup/`, all or none, for their owner alone whatever the
 * archive says: dumps are nobody else's business.
 */
export async function extract(
  files: AsyncIterable<{ file: ArchiveFile; content: AsyncIterable<Uint8Array> }>,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const target = directory.length > 1 ? directory.replace(/\/+$/, "") : directory;
  await requireEmpty(target);
  const temporary = `${directoryOf(target)}/${baseNameOf(target)}.${randomName()}.part`;
  const what = `Cannot extract to "${target}"`;
  await attempt(what, Deno.mkdir(temporary, { mode: 0o700 }));
  try {
    const directories = new Set([temporary]);
    for await (const { file, content } of files) {
      signal?.throwIfAborted();
      const path = `${temporary}/${BACKUP_DIRECTORY}/${file.name}`;
      await attempt(what, Deno.mkdir(directoryOf(path), { recursive: true, mode: 0o700 }));
      for (let at = directoryOf(path); !directories.has(at); at = directoryOf(at)) {
        directories.add(at);
      }
      await writeFile(path, file, content, what);
    }
    for (const at of directories) await attempt(what, syncDirectory(at));
    // Replaces an empty directory, and fails if it has got content meanwhile.
    await attempt(what, Deno.rename(temporary, target));
    await attempt(what, syncDirectory(directoryOf(target)));
  } catch (error) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {}); // the first error counts
    throw error;
  }
}

async function requireEmpty(directory: string): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(directory)) {
      throw new AlreadyExistsError(
        `target directory is not empty: ${directory} contains ${JSON.stringify(name)}`,
      );
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    await attempt(`target directory not accessible: ${directory}`, Promise.reject(error));
  }
}

async function writeFile(
  path: string,
  { mtime }: ArchiveFile,
  content: AsyncIterable<Uint8Array>,
  what: string,
): Promise<void> {
  using file = await attempt(
    what,
    Deno.open(path, { write: true, createNew: true, mode: 0o600 }),
  );
  for await (const chunk of content) await attempt(what, writeAll(file, chunk));
  await attempt(what, file.utime(mtime, mtime));
  await attempt(what, file.sync());
}
