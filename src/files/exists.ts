/** Whether anything has this path, a dangling link included. */
export async function exists(path: string): Promise<boolean> {
  return await orIfMissing(Deno.lstat(path), undefined) !== undefined;
}

/** {@linkcode exists}, for those who cannot wait. */
export function existsSync(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The text of a file; undefined where there is none. */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  return await orIfMissing(Deno.readTextFile(path), undefined);
}

/** Removes a file or an empty directory; nothing to do where there is none. */
export async function removeIfThere(path: string): Promise<void> {
  await orIfMissing(Deno.remove(path), undefined);
}

async function orIfMissing<Value, Other>(
  operation: Promise<Value>,
  other: Other,
): Promise<Value | Other> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return other;
    throw error;
  }
}
