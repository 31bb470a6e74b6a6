import { createTarPacker, type TarHeader, type TarPackController } from "modern-tar";
import { problemOf } from "../../errors/mod.ts";
import type { Component } from "../component.ts";
import {
  followInside,
  namesIn,
  requireReadableNames,
  UnreadableNameError,
} from "../../files/mod.ts";
import { BackupFailedError, InvalidInputError } from "../errors.ts";
import { isUnchanged } from "./file_source.ts";
import type { Reporter } from "../reporter.ts";
import type { ComponentSource, OpenSource } from "./source.ts";

/** First path element of every entry: restoring drops it, whatever its name. */
const PREFIX = "infrahubops";
const READ_BYTES = 256 * 1024;

/** One entry of the archive to be. */
interface PlannedEntry {
  /** Where it is read from. */
  readonly path: string;
  /** Its name in the archive; directories without a trailing slash. */
  readonly name: string;
  readonly kind: "file" | "directory";
  /** Permission bits. */
  readonly mode: number;
}

/**
 * A component that lies in a directory (or a single file), streamed as the tar that an Enterprise
 * backup is.
 *
 * Equal content gives equal bytes: names are sorted, owners are zero, and so are times. Every
 * export of a database writes all its files anew; with their times in the headers, each chunk that
 * holds a header would be new as well, and with them most of the small files. Modes are kept: they
 * do not change from one export to the next.
 *
 * A symbolic link is followed where it leads to a file inside the directory; any other is refused: the
 * backup would lack what it stands for. A file that changes while it is read fails the source.
 *
 * @throws {InvalidInputError} when the path, or something in it, cannot be read or represented
 */
export async function tarSource(
  component: Component,
  recordPath: string,
  path: string,
  what: string,
  reporter: Reporter,
): Promise<ComponentSource> {
  const entries = await plan(path, what, reporter);
  if (!entries.some((entry) => entry.kind === "file")) {
    throw new InvalidInputError(`${what} contains no files: ${path}`);
  }
  return { component, recordPath, open: (signal) => openTar(entries, signal) };
}

/** Lists what goes into the archive and opens every file once: nothing is stored if one fails. */
async function plan(root: string, what: string, reporter: Reporter): Promise<PlannedEntry[]> {
  const entries: PlannedEntry[] = [];
  const visit = async (path: string, name: string, info: Deno.FileInfo): Promise<void> => {
    const mode = (info.mode ?? (info.isDirectory ? 0o755 : 0o644)) & 0o777;
    if (info.isDirectory) {
      entries.push({ path, name, kind: "directory", mode });
      for (const child of await readable(path, namesIn(path))) {
        const childPath = `${path.replace(/\/$/, "")}/${child}`;
        await visit(
          childPath,
          `${name}/${child}`,
          await readable(childPath, Deno.lstat(childPath)),
        );
      }
    } else if (info.isSymlink) {
      const target = await readable(path, followInside(root, path));
      if (target === undefined) {
        throw new InvalidInputError(
          `${what} not accessible: ${path} is a symbolic link to ${await Deno.readLink(path)}, ` +
            `which is no file inside ${root}`,
        );
      }
      await visit(target.path, name, target.info);
    } else if (info.isFile) {
      (await readable(path, Deno.open(path))).close();
      entries.push({ path, name, kind: "file", mode });
    } else {
      reporter.warn(`Skipping ${path}: neither a file nor a directory`);
    }
  };
  const readable = async <Value>(path: string, value: Promise<Value>): Promise<Value> => {
    try {
      return await value;
    } catch (error) {
      if (error instanceof InvalidInputError) throw error;
      if (error instanceof UnreadableNameError) {
        throw new InvalidInputError(`${what} not accessible: ${error.message}`, { cause: error });
      }
      throw new InvalidInputError(`${what} not accessible: ${path}: ${problemOf(error)}`, {
        cause: error,
      });
    }
  };
  const info = await readable(root, Deno.stat(root));
  if (info.isFile) {
    const baseName = root.slice(root.lastIndexOf("/") + 1);
    entries.push({ path: root, name: PREFIX, kind: "directory", mode: 0o755 });
    await visit(root, `${PREFIX}/${baseName}`, info);
  } else if (info.isDirectory) {
    await readable(root, requireReadableNames(root));
    await readable(root, visit(root, PREFIX, info));
  } else {
    throw new InvalidInputError(`${what} is neither a file nor a directory: ${root}`);
  }
  return entries;
}

function openTar(
  entries: readonly PlannedEntry[],
  signal: AbortSignal,
): OpenSource {
  const { readable, controller } = createTarPacker();
  const finished = (async () => {
    try {
      for (const entry of entries) {
        signal.throwIfAborted();
        await pack(controller, entry, signal);
      }
      controller.finalize();
    } catch (error) {
      controller.error(error);
      throw error;
    }
  })();
  // The reader of the stream meets the same error, and may never look at this promise.
  finished.catch(() => {});
  return { content: readable, finished };
}

async function pack(
  controller: TarPackController,
  entry: PlannedEntry,
  signal: AbortSignal,
): Promise<void> {
  const header: TarHeader = {
    name: entry.kind === "directory" ? `${entry.name}/` : entry.name,
    type: entry.kind,
    mode: entry.mode,
    size: 0,
    mtime: new Date(0),
    uid: 0,
    gid: 0,
  };
  if (entry.kind !== "file") {
    await controller.add(header).close();
    return;
  }
  using file = await Deno.open(entry.path);
  const before = await file.stat();
  const writer = controller.add({ ...header, size: before.size }).getWriter();
  await copyExactly(file, before, writer, entry.path, signal);
  await writer.close();
}

/**
 * Writes as many bytes as the header has announced.
 *
 * @throws {BackupFailedError} when the file is not any more what it was when it was announced
 */
async function copyExactly(
  file: Deno.FsFile,
  before: Deno.FileInfo,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  let written = 0;
  while (written < before.size) {
    signal.throwIfAborted();
    const buffer = new Uint8Array(Math.min(READ_BYTES, before.size - written));
    const count = await file.read(buffer);
    if (count === null) break;
    await writer.write(buffer.subarray(0, count));
    written += count;
  }
  const after = await file.stat();
  if (written === before.size && isUnchanged(before, after)) return;
  throw new BackupFailedError(
    `File changed while it was read (${before.size} bytes before, ${written} read, ` +
      `${after.size} after): ${path}`,
  );
}
