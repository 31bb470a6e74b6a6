import { CorruptionError, ObjectNotFoundError } from "../errors.ts";
import {
  decodeEnvelopeHeader,
  ENVELOPE_FOOTER_BYTES,
  ENVELOPE_HEADER_BYTES,
  FormatError,
  macsEqual,
  ResourceType,
} from "../format/mod.ts";
import { type MacFunction, type MemoryBudget, rereadOnDamage, StreamMac } from "../unit/mod.ts";
import type { Store } from "../store/mod.ts";
import type { WorkerPool } from "../workers/mod.ts";

const PIECE_BYTES = 1024 * 1024;

/** Where packfiles are read, and the threads and memory that hash them. */
export interface PackfileReading {
  readonly store: Store;
  readonly pool: WorkerPool;
  readonly mac: MacFunction;
  readonly readMemory: MemoryBudget;
}

/** How a packfile is verified. */
export interface VerifyOptions {
  readonly signal?: AbortSignal;
  /**
   * The part of the file that is wanted.
   *
   * @default nothing
   */
  readonly part?: { readonly position: number; readonly length: number };
}

/**
 * Reads a whole packfile and verifies its envelope's MAC: what vouches for a snapshot's header,
 * whose id is not a hash of it.
 *
 * @param id 64 hex digits
 * @returns the wanted part, as it was when it was verified
 * @throws {CorruptionError} the packfile is missing or damaged
 */
export async function verifyPackfile(
  id: string,
  reading: PackfileReading,
  options: VerifyOptions = {},
): Promise<Uint8Array> {
  const damaged = (problem: string) =>
    new CorruptionError(`Packfile ${id} is damaged: ${problem}`, { packfile: id });
  try {
    return await rereadOnDamage(() => verifyOnce(id, reading, options), damaged);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) throw damaged("it is missing");
    throw error;
  }
}

async function verifyOnce(
  id: string,
  { store, pool, mac, readMemory }: PackfileReading,
  { signal, part = { position: 0, length: 0 } }: VerifyOptions,
): Promise<Uint8Array> {
  const size = await store.size("packfile", id);
  const signedBytes = size - ENVELOPE_FOOTER_BYTES;
  if (signedBytes < ENVELOPE_HEADER_BYTES) {
    throw new FormatError("packfile", `${size} bytes are too short`);
  }
  if (part.position + part.length > signedBytes) {
    throw new FormatError("packfile", `${size} bytes do not hold what should be in it`);
  }
  const wanted = new Uint8Array(part.length);
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
      const start = Math.max(part.position, position);
      const end = Math.min(part.position + part.length, position + length);
      if (start < end) {
        wanted.set(bytes.subarray(start - position, end - position), start - part.position);
      }
    }
    const footer = new Uint8Array(ENVELOPE_FOOTER_BYTES);
    await store.read("packfile", id, signedBytes, footer);
    if (!macsEqual(footer, streamMac.digest())) {
      throw new FormatError("packfile", "its MAC does not match", "checksum");
    }
    return wanted;
  } finally {
    streamMac.dispose();
    readMemory.release(region);
  }
}
