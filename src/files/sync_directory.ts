/** What file systems that have no such operation answer; network and FUSE ones among them. */
const NOT_SUPPORTED = ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/**
 * Makes a directory remember the names in it: without, a power cut can lose a name that a file has
 * just been given.
 *
 * Every sync of a directory in the program is this one, so that what file systems cannot do is known
 * in one place. One that cannot be synced is no failure, as nobody can do anything about it:
 * {@linkcode onUnsyncableDirectory} is told.
 *
 * @returns whether the directory was synced
 */
export async function syncDirectory(path: string): Promise<boolean> {
  // Directories cannot be opened for syncing on Windows; the rename is journalled there.
  if (Deno.build.os === "windows") return true;
  using directory = await Deno.open(path, { read: true });
  try {
    await directory.sync();
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    if (!NOT_SUPPORTED.includes(String(error.code))) throw error;
    listener?.(path);
    return false;
  }
}

let listener: ((path: string) => void) | undefined;

/**
 * Sets who is told, each time, of a directory that cannot be synced; in place of whoever was before.
 * It is one for the program, as the log is: directories are synced far below everything that reports.
 */
export function onUnsyncableDirectory(tell: ((path: string) => void) | undefined): void {
  listener = tell;
}
