/** Runs with a new directory, and removes it. */
export async function withDirectory(action: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await action(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

/** The names in a directory, sorted. */
export async function namesIn(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}
