/** Where the test bed keeps what it makes; nothing of it lies in the clone. */

import { createHash } from "node:crypto";
import { peersFolder } from "../peers.ts";

/** What lasts: built programs, images as tar files, the engine's store, sample dumps. */
export function cacheFolder(): string {
  return `${peersFolder()}/e2e`;
}

/**
 * What lives as long as the engine: socket, process id, log. Outside the cache folder because the
 * path of a socket may have some hundred bytes at most.
 */
export function runtimeFolder(): string {
  const digest = createHash("sha256").update(cacheFolder()).digest("hex").slice(0, 8);
  return `${Deno.env.get("TMPDIR") || "/tmp"}/infrahub-backup-e2e-${digest}`;
}

/** Where {@link ../../tests/e2e} is. */
export const E2E_TESTS = new URL("../../tests/e2e/", import.meta.url);

/**
 * Holds other runs off while `body` runs: two must not install or start the same thing.
 *
 * @param folder what they would share
 */
export async function exclusively<T>(
  body: () => Promise<T>,
  folder = cacheFolder(),
): Promise<T> {
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(`${folder}/lock`, { create: true, write: true });
  await lock.lock(true);
  return await body();
}
