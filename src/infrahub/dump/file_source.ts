import { problemOf } from "../../errors/mod.ts";
import type { Component } from "../component.ts";
import { BackupFailedError, InvalidInputError } from "../errors.ts";
import type { ComponentSource } from "./source.ts";

/**
 * A component that lies in a file.
 *
 * A file that changes while it is read is half of what it was and half of what it becomes: the source
 * fails.
 *
 * @param what what the file is, for messages, such as `postgres dump file`
 * @throws {InvalidInputError} when the path is no readable, non-empty regular file
 */
export async function fileSource(
  component: Component,
  recordPath: string,
  path: string,
  what: string,
): Promise<ComponentSource> {
  await checkDumpFile(path, what);
  return {
    component,
    recordPath,
    async open() {
      const file = await Deno.open(path);
      const before = await file.stat();
      return {
        content: file.readable,
        finished: Promise.resolve(),
        async verify(bytesRead) {
          if (bytesRead === 0) throw new BackupFailedError(`${what} is empty: ${path}`);
          const after = await currentInfo(path, before);
          if (bytesRead === before.size && isUnchanged(before, after)) return;
          throw new BackupFailedError(
            `${what} changed while it was read (${before.size} bytes before, ${bytesRead} read, ` +
              `${after.size} after): ${path}`,
          );
        },
      };
    },
  };
}

/** The file as it is now; as it was when its name is gone or stands for another file. */
async function currentInfo(path: string, before: Deno.FileInfo): Promise<Deno.FileInfo> {
  try {
    const after = await Deno.stat(path);
    return after.ino === before.ino ? after : before;
  } catch {
    // What was read is still good: it was open all the while.
    return before;
  }
}

/** Whether a file has the size and the time of change that it had. */
export function isUnchanged(before: Deno.FileInfo, after: Deno.FileInfo): boolean {
  return after.size === before.size && after.mtime?.getTime() === before.mtime?.getTime();
}

/** Fails unless the file can be opened and has content. */
async function checkDumpFile(path: string, what: string): Promise<void> {
  let info: Deno.FileInfo;
  try {
    // The kind first: opening a pipe would wait for its writer.
    info = await Deno.stat(path);
    if (info.isFile) (await Deno.open(path)).close();
  } catch (error) {
    throw new InvalidInputError(`${what} not accessible: ${path}: ${problemOf(error)}`, {
      cause: error,
    });
  }
  if (!info.isFile) {
    throw new InvalidInputError(
      `${what} is not a regular file: ${path}; the output of a command is backed up with ` +
        `"create from-commands"`,
    );
  }
  if (info.size === 0) throw new InvalidInputError(`${what} is empty: ${path}`);
}
