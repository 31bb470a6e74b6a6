/**
 * Makes a directory remember the names in it: without, a power cut can lose a name that a file has
 * just been given.
 *
 * Every sync of a directory in the program is this one, so that what file systems cannot do is known
 * in one place.
 */
export async function syncDirectory(path: string): Promise<void> {
  // Directories cannot be opened for syncing on Windows; the rename is journalled there.
  if (Deno.build.os === "windows") return;
  using directory = await Deno.open(path, { read: true });
  await directory.sync();
}
