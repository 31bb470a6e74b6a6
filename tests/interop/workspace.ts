/**
 * A temporary folder for one test, with what the tests in this folder have in common: running our
 * own command line, comparing trees, and measuring repositories.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  createRepository,
  openRepository,
  openStore,
  type PassphraseProvider,
  type Repository,
} from "../../src/kloset/mod.ts";
import type { SnapshotReader } from "../../src/kloset/mod.ts";

/** What a run of our command line wrote, and its exit code. */
export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One entry of a tree, on the disk or in a snapshot; paths are relative to the tree's root. */
export interface TreeEntry {
  readonly type: "file" | "directory" | "symlink";
  /** Permission bits; not of symlinks. */
  readonly mode?: number;
  /** Hex, of a regular file. */
  readonly sha256?: string;
  readonly target?: string;
}

const MAIN = decodeURIComponent(new URL("../../main.ts", import.meta.url).pathname);

/** A folder that is removed when disposed of. */
export class Workspace implements AsyncDisposable {
  /** Absolute path. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes a workspace. */
  static async make(): Promise<Workspace> {
    return new Workspace(await Deno.makeTempDir({ prefix: "interop-" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }

  /** Path of something in the workspace. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /**
   * A run of our command line that is not awaited: `INFRAHUB_BACKUP_BINARY`, else `main.ts`.
   * It caches inside the workspace.
   */
  tool(args: readonly string[]): Deno.Command {
    const binary = Deno.env.get("INFRAHUB_BACKUP_BINARY");
    return new Deno.Command(binary || Deno.execPath(), {
      args: binary ? [...args] : ["run", "-A", MAIN, ...args],
      env: { INFRAHUB_CACHE_DIR: this.at("tool-cache"), NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Runs our command line, whatever its exit code. */
  async tryTool(...args: string[]): Promise<ToolResult> {
    const { code, stdout, stderr } = await this.tool(args).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Runs our command line and gives its standard output. @throws when it exits non-zero */
  async runTool(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryTool(...args);
    if (code !== 0) throw new Error(`${args.join(" ")} exited ${code}:\n${stdout}${stderr}`);
    return stdout;
  }
}

/** Makes a repository by our engine, without a cache; encrypted when there is a passphrase. */
export function create(repository: string, passphrase?: string): Promise<Repository> {
  return createRepository(openStore(repository), {
    encrypt: passphrase !== undefined,
    ...passphraseOption(passphrase),
  });
}

/** Opens a repository by our engine, without a cache. */
export function open(repository: string, passphrase?: string): Promise<Repository> {
  return openRepository(openStore(repository), passphraseOption(passphrase));
}

/** The option by which a repository gets a passphrase; none when it is left out. */
export function passphraseOption(passphrase?: string): { passphrase?: PassphraseProvider } {
  if (passphrase === undefined) return {};
  return { passphrase: () => Promise.resolve(new TextEncoder().encode(passphrase)) };
}

/** What a source of ours is called in snapshots. */
export const IMPORTER = { type: "infrahub", origin: "interop", directory: "/" } as const;

/** Stores one stream as a snapshot of its own. @returns the snapshot's id */
export async function store(
  repository: Repository,
  path: string,
  content: ReadableStream<Uint8Array>,
): Promise<string> {
  const writer = await repository.createSnapshot({ name: path, importer: IMPORTER });
  try {
    await writer.addFile(path, content);
    await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return writer.id;
}

/** The bytes as a stream. */
export function streamOf(...parts: Uint8Array[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(parts);
}

/** Length and SHA-256 (hex) of a stream. */
export async function digestStream(
  stream: ReadableStream<Uint8Array>,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const part of stream) {
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Length and SHA-256 (hex) of a file in a snapshot. */
export async function digestOf(
  snapshot: SnapshotReader,
  path: string,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  const bytes = await snapshot.copy(path, (part) => {
    hash.update(part);
    return Promise.resolve();
  });
  return { bytes, sha256: hash.digest("hex") };
}

/** SHA-256 (hex) of bytes. */
export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Everything below a directory of the disk, by relative path. */
export async function readTree(root: string): Promise<Record<string, TreeEntry>> {
  const tree: [string, TreeEntry][] = [];
  const visit = async (folder: string): Promise<void> => {
    for await (const { name } of Deno.readDir(root + folder)) {
      const path = `${folder}/${name}`;
      const info = await Deno.lstat(root + path);
      const mode = (info.mode ?? 0) & 0o777;
      if (info.isSymlink) {
        tree.push([path, { type: "symlink", target: await Deno.readLink(root + path) }]);
      } else if (info.isFile) {
        tree.push([path, { type: "file", mode, sha256: sha256(await Deno.readFile(root + path)) }]);
      } else {
        tree.push([path, { type: "directory", mode }]);
        await visit(path);
      }
    }
  };
  await visit("");
  return sorted(tree);
}

/** Everything below a directory of a snapshot, by relative path; contents are read in full. */
export async function snapshotTree(
  snapshot: SnapshotReader,
  root: string,
): Promise<Record<string, TreeEntry>> {
  const tree: [string, TreeEntry][] = [];
  const prefix = root === "/" ? "/" : `${root}/`;
  for await (const { path, type, mode, linkTarget } of snapshot.entries()) {
    if (!path.startsWith(prefix) || path === prefix) continue;
    const relative = path.slice(prefix.length - 1);
    if (type === "symlink") {
      tree.push([relative, { type, target: linkTarget ?? "" }]);
    } else if (type === "file") {
      const { sha256 } = await digestOf(snapshot, path);
      tree.push([relative, { type, mode, sha256 }]);
    } else if (type === "directory") {
      tree.push([relative, { type, mode }]);
    } else {
      throw new Error(`Unexpected entry of type "${type}": ${path}`);
    }
  }
  return sorted(tree);
}

function sorted(tree: [string, TreeEntry][]): Record<string, TreeEntry> {
  return Object.fromEntries(tree.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0));
}

/** Bytes in all files of a repository's packfiles. */
export async function packfileBytes(repository: string): Promise<number> {
  let bytes = 0;
  for await (const path of filesUnder(`${repository}/packfiles`)) {
    bytes += (await Deno.stat(path)).size;
  }
  return bytes;
}

/** How many packfiles a repository has. */
export async function countPackfiles(repository: string): Promise<number> {
  let count = 0;
  for await (const path of filesUnder(`${repository}/packfiles`)) {
    if (/\/[0-9a-f]{64}$/.test(path)) count++;
  }
  return count;
}

/** Versions in the envelopes of a repository's state files, each once, such as `1.1.0`. */
export async function stateVersions(repository: string): Promise<string[]> {
  const versions = new Set<string>();
  for await (const path of filesUnder(`${repository}/states`)) {
    const [patch, minor, major] = (await Deno.readFile(path)).subarray(12, 15);
    versions.add(`${major}.${minor}.${patch}`);
  }
  return [...versions].sort();
}

/** Paths of the files below a folder. */
export async function* filesUnder(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesUnder(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

/** Waits until a condition holds, asking again and again. @throws when it does not in time */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline;) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Not within ${timeoutMs} ms: ${what}`);
}
