import { createTarDecoder } from "modern-tar";
import { BackupFailedError } from "../errors.ts";

/**
 * Unpacks the tar of an Enterprise backup into a new directory, without the first part of each name
 * (`infrahubops/`).
 *
 * @returns bytes of the files
 * @throws {BackupFailedError} when it holds anything but files and directories, or names that lead
 * elsewhere
 */
export async function unpackBackup(
  content: ReadableStream<Uint8Array>,
  directory: string,
): Promise<number> {
  await Deno.mkdir(directory, { mode: 0o700 });
  let bytes = 0;
  // The cast only concerns the buffer type parameter that newer libraries declare.
  const tar = content as ReadableStream<Uint8Array<ArrayBuffer>>;
  for await (const { header, body } of tar.pipeThrough(createTarDecoder())) {
    const parts = header.name.split("/").filter((part) => part !== "" && part !== ".").slice(1);
    if (parts.includes("..")) {
      throw new BackupFailedError(`the backup holds a file with the name ${header.name}`);
    }
    const path = [directory, ...parts].join("/");
    if (header.type === "directory") {
      await Deno.mkdir(path, { recursive: true, mode: 0o700 });
      // Drained: cancelling a body takes data of the next entry in this version of the library.
      await body.pipeTo(new WritableStream());
      continue;
    }
    if (header.type !== "file" || parts.length === 0) {
      throw new BackupFailedError(`the backup holds ${header.name}, which is a ${header.type}`);
    }
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    await body.pipeTo(file.writable);
    bytes += header.size;
  }
  return bytes;
}
