import { problemOf } from "../../errors/mod.ts";
import type { Component } from "../component.ts";
import { BackupFailedError, InvalidInputError } from "../errors.ts";
import type { Reporter } from "../reporter.ts";
import type { ComponentSource } from "./source.ts";

/**
 * A component that lies in a file.
 *
 * A file that changes its size while it is read is stored as it was read, with a warning.
 *
 * @param what what the file is, for messages, such as `postgres dump file`
 * @throws {InvalidInputError} when the path is no readable, non-empty regular file
 */
export async function fileSource(
  component: Component,
  recordPath: string,
  path: string,
  what: string,
  reporter: Reporter,
): Promise<ComponentSource> {
  await checkDumpFile(path, what);
  return {
    component,
    recordPath,
    async open() {
      const file = await Deno.open(path);
      const { size: before } = await file.stat();
      return {
        content: file.readable,
        finished: Promise.resolve(),
        async verify(bytesRead) {
          if (bytesRead === 0) throw new BackupFailedError(`${what} is empty: ${path}`);
          // The name may be gone by now, and what was read is still good.
          const after = await Deno.stat(path).then((info) => info.size, () => bytesRead);
          if (after === before && bytesRead === before) return;
          reporter.warn(`File changed its size while it was read, stored as read: ${path}`, {
            size_before: before,
            size_after: after,
            bytes_read: bytesRead,
          });
        },
      };
    },
  };
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
