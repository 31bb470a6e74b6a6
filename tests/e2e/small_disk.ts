/**
 * A disk that can be full.
 *
 * @module
 */

import { run } from "../../scripts/e2e/stack.ts";

const SIZE = "96m";
const BLOCK_BYTES = 1024 * 1024;

/** A mounted disk of its own. */
export interface SmallDisk {
  readonly folder: string;
  /** Takes all the room that is left. */
  fill(): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
}

/** Runs `body` with a disk that is gone afterwards. Needs root. */
export async function withSmallDisk<T>(body: (disk: SmallDisk) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "infrahub-backup-disk-" });
  await run("mount", ["-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", folder]);
  const filler = `${folder}/filler`;
  try {
    return await body({
      folder,
      fill: () => fill(filler),
      free: () => Deno.remove(filler),
    });
  } finally {
    await run("umount", [folder]);
    await Deno.remove(folder);
  }
}

async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  for (let block = new Uint8Array(BLOCK_BYTES); block.length > 0;) {
    try {
      await file.write(block);
    } catch (error) {
      if (!(error instanceof Error) || !/ENOSPC|No space left/.test(error.message)) throw error;
      block = block.subarray(0, block.length >> 1);
    }
  }
}
