/**
 * Follows a symbolic link that lies somewhere below a directory, as long as it stays there.
 *
 * @param root the directory that was named; may itself be reached by a link
 * @returns the file that the link leads to; undefined when it leads outside, to nothing, or to
 * anything but a regular file
 */
export async function followInside(
  root: string,
  link: string,
): Promise<{ readonly path: string; readonly info: Deno.FileInfo } | undefined> {
  let path: string;
  try {
    path = await Deno.realPath(link);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.FilesystemLoop) {
      return undefined;
    }
    throw error;
  }
  const inside = `${(await Deno.realPath(root)).replace(/\/$/, "")}/`;
  if (!path.startsWith(inside)) return undefined;
  const info = await Deno.stat(path);
  return info.isFile ? { path, info } : undefined;
}
