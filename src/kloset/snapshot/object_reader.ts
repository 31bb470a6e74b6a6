import type { Engine } from "../engine.ts";
import { decodeObject, type KlosetObject, type Mac, ResourceType } from "../format/mod.ts";
import { asCorruption } from "./tree_reader.ts";

/** Reads an OBJECT blob. */
export async function readObject(engine: Engine, mac: Mac): Promise<KlosetObject> {
  const bytes = await engine.blobs.read(ResourceType.OBJECT, mac);
  return await asCorruption(() => decodeObject(bytes));
}

/** What a content is read with, but for its name. */
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
