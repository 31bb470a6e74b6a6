import { createHash } from "node:crypto";

const READ_BYTES = 1 << 20;

/** SHA-256 of a file, in hex. */
export async function fileDigest(path: string): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(READ_BYTES);
  for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
    hash.update(buffer.subarray(0, read));
  }
  return hash.digest("hex");
}

/** SHA-256 of each file in a folder and the folders in it, by path relative to it. */
export async function folderDigests(folder: string): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  const visit = async (prefix: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
      if (isDirectory) await visit(`${prefix}${name}/`);
      else digests.set(prefix + name, await fileDigest(`${folder}/${prefix}${name}`));
    }
  };
  await visit("");
  return digests;
}

/** SHA-256 of what a command writes to its standard output. @throws when it fails */
export async function commandDigest(
  argv: readonly [string, ...string[]],
  signal: AbortSignal,
): Promise<string> {
  const [program, ...args] = argv;
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", signal }).spawn();
  const hash = createHash("sha256");
  for await (const bytes of child.stdout) hash.update(bytes);
  const { code } = await child.status;
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`${argv.join(" ")} exited ${code}`);
  return hash.digest("hex");
}

/** Size of all files in a folder and the folders in it, in bytes; 0 when it is missing. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      bytes += isDirectory ? await folderBytes(path) : (await Deno.stat(path)).size;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return bytes;
}
