import type { Engine } from "../engine.ts";
import { decodeObject, type KlosetObject, type Mac, ResourceType } from "../format/mod.ts";
import type { BlobReader } from "../packfile/mod.ts";
import { asCorruption } from "./tree_reader.ts";

/**
 * Reads an OBJECT blob.
 *
 * @throws {CorruptionError} it is missing or damaged
 */
export async function readObject(
  blobs: Pick<BlobReader, "read">,
  mac: Mac,
): Promise<KlosetObject> {
  const bytes = await blobs.read(ResourceType.OBJECT, mac);
  return await asCorruption(() => decodeObject(bytes));
}

/** How `copyContent` reads a content of this repository; whose it is, the caller adds. */
export function contentOptions(engine: Engine, signal: AbortSignal | undefined) {
  return {
    pool: engine.pool,
    store: engine.store,
    blobs: engine.blobs,
    mac: engine.mac.parameters,
    encoding: engine.codec.encoding,
    memory: engine.readMemory,
    signal: signal ?? new AbortController().signal,
  };
}
