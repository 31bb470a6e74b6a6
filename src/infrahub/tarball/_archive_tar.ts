import { createTarPacker } from "modern-tar";
import type { Archive, ArchiveFile } from "../../archive/mod.ts";
import type { RestorableDump } from "../dump/mod.ts";

/** What the entries of an Enterprise backup begin with, as the streaming backup has them. */
const PREFIX = "infrahubops";
const BLOCK_BYTES = 512;

/** The files of an Enterprise backup as the tar that such a backup is streamed as. */
export function archiveTar(archive: Archive, files: readonly ArchiveFile[]): RestorableDump {
  return {
    name: "neo4j-backup.tar",
    bytes: files.reduce((sum, file) => sum + tarBytes(file.bytes), 2 * BLOCK_BYTES),
    copy: async (write, signal) => {
      const { readable, controller } = createTarPacker();
      const stop = new AbortController();
      const packed = pack(archive, files, controller, AbortSignal.any([signal, stop.signal]))
        .catch((error) => controller.error(error));
      try {
        for await (const bytes of readable) await write(bytes);
      } finally {
        // When nobody takes the bytes any more, nobody may go on reading the archive either.
        stop.abort();
        await packed;
      }
    },
  };
}

async function pack(
  archive: Archive,
  files: readonly ArchiveFile[],
  controller: ReturnType<typeof createTarPacker>["controller"],
  signal: AbortSignal,
): Promise<void> {
  const names = files.map(({ name }) => name);
  for await (const { file, content } of archive.readFiles(names, { signal })) {
    const entry = controller.add({
      name: `${PREFIX}/${file.name.slice("database/".length)}`,
      size: file.bytes,
      mode: 0o644,
      type: "file",
    });
    await ReadableStream.from(content).pipeTo(entry, { signal });
  }
  controller.finalize();
}

/** Header and padded content; names beyond the classic limit take a little more. */
function tarBytes(bytes: number): number {
  return BLOCK_BYTES + Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}
