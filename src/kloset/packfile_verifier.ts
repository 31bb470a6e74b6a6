import { CorruptionError, ObjectNotFoundError } from "./errors.ts";
import {
  decodeEnvelopeHeader,
  ENVELOPE_FOOTER_BYTES,
  ENVELOPE_HEADER_BYTES,
  FormatError,
  macsEqual,
  ResourceType,
} from "./format/mod.ts";
import { StreamMac } from "./mac.ts";
import type { Engine } from "./engine.ts";
import { rereadOnDamage } from "./reread.ts";

const PIECE_BYTES = 1024 * 1024;

/**
 * Reads a whole packfile and verifies its envelope's MAC: what vouches for a snapshot's header,
 * whose id is not a hash of it.
 *
 * @param id 64 hex digits
 * @throws {CorruptionError} the packfile is missing or damaged
 */
export async function verifyPackfile(
  id: string,
  engine: Pick<Engine, "store" | "pool" | "mac" | "readMemory">,
  signal?: AbortSignal,
): Promise<void> {
  const damaged = (problem: string) =>
    new CorruptionError(`Packfile ${id} is damaged: ${problem}`, { packfile: id });
  try {
    await rereadOnDamage(() => verifyOnce(id, engine, signal), damaged);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) throw damaged("it is missing");
    throw error;
  }
}

async function verifyOnce(
  id: string,
  { store, pool, mac, readMemory }: Pick<Engine, "store" | "pool" | "mac" | "readMemory">,
  signal: AbortSignal | undefined,
): Promise<void> {
  const size = await store.size("packfile", id);
  const signedBytes = size - ENVELOPE_FOOTER_BYTES;
  if (signedBytes < ENVELOPE_HEADER_BYTES) {
    throw new FormatError("packfile", `${size} bytes are too short`);
  }
  const streamMac = new StreamMac(pool, mac.parameters);
  const region = await readMemory.acquire(PIECE_BYTES, { holder: streamMac });
  try {
    for (let position = 0; position < signedBytes; position += PIECE_BYTES) {
      signal?.throwIfAborted();
      const length = Math.min(PIECE_BYTES, signedBytes - position);
      const bytes = pool.kernels.bytes(region, 0, length);
      await store.read("packfile", id, position, bytes);
      if (position === 0 && decodeEnvelopeHeader(bytes.slice()).type !== ResourceType.PACKFILE) {
        throw new FormatError("packfile", "the file is of another type");
      }
      await streamMac.updateRegion(region, length);
    }
    const footer = new Uint8Array(ENVELOPE_FOOTER_BYTES);
    await store.read("packfile", id, signedBytes, footer);
    if (!macsEqual(footer, streamMac.digest())) {
      throw new FormatError("packfile", "its MAC does not match", "checksum");
    }
  } finally {
    streamMac.dispose();
    readMemory.release(region);
  }
}
