import { attempt } from "./problem.ts";
import { ArchiveIoError } from "../errors.ts";

/**
 * Small on purpose: gzip grows a thousandfold at most, and what comes of one read is in memory at
 * once.
 */
const READ_BYTES = 32 * 1024;

/** Where the bytes of an archive come from; opened once for every pass over it. */
export interface ArchiveInput {
  /** What messages call it, such as its path. */
  readonly name: string;
  /** Opens the bytes of the file, from the first. The stream should end when the signal aborts. */
  open(signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

/** An archive on disk. */
export function fileInput(path: string): ArchiveInput {
  return { name: path, open: () => openFile(path) };
}

async function openFile(path: string): Promise<ReadableStream<Uint8Array>> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new ArchiveIoError(`backup file not found: ${path}`, { cause: error });
    }
    return await attempt(`Cannot read "${path}"`, Promise.reject(error));
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const buffer = new Uint8Array(READ_BYTES);
        const count = await attempt(`Cannot read "${path}"`, file.read(buffer));
        if (count !== null) return controller.enqueue(buffer.subarray(0, count));
      } catch (error) {
        file.close();
        throw error;
      }
      file.close();
      controller.close();
    },
    cancel() {
      file.close();
    },
  }, { highWaterMark: 0 });
}
