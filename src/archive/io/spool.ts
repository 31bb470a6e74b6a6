import { randomName, removeIfThere, writeAll } from "../../files/mod.ts";
import { attempt } from "./problem.ts";

/** How {@linkcode spool} works. */
export interface SpoolOptions {
  readonly signal?: AbortSignal;
  /** Told the bytes so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** A stream that lies on the disk; removed when it is let go. */
export class SpooledFile implements AsyncDisposable {
  readonly path: string;
  readonly bytes: number;

  constructor(path: string, bytes: number) {
    this.path = path;
    this.bytes = bytes;
  }

  /** Removes the file; idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await removeIfThere(this.path);
  }
}

/**
 * Writes a stream of unknown size into a private file (random name, mode 0600): a tar announces the
 * size of an entry before its bytes. Give the path to `writeArchive` when it is known that the
 * stream was sound, such as that its command has ended well.
 *
 * @param directory where the file lies; it takes as much room as the stream
 * @throws {ArchiveIoError} when the file cannot be written
 * @throws what the stream or the signal is aborted with; no file is left behind
 */
export async function spool(
  directory: string,
  content: ReadableStream<Uint8Array>,
  options: SpoolOptions = {},
): Promise<SpooledFile> {
  const path = `${directory.replace(/\/+$/, "")}/.infrahub_backup_${randomName()}.part`;
  const what = `Cannot write "${path}"`;
  let bytes = 0;
  try {
    using file = await attempt(
      what,
      Deno.open(path, { write: true, createNew: true, mode: 0o600 }),
    );
    const sink = new WritableStream<Uint8Array>({
      async write(chunk) {
        await attempt(what, writeAll(file, chunk));
        bytes += chunk.length;
        options.onProgress?.(bytes);
      },
    });
    await content.pipeTo(sink, options.signal === undefined ? {} : { signal: options.signal });
  } catch (error) {
    if (!content.locked) await content.cancel(error).catch(() => {}); // it may be what has failed
    await removeIfThere(path).catch(() => {}); // what went wrong first is what counts
    throw error;
  }
  return new SpooledFile(path, bytes);
}
