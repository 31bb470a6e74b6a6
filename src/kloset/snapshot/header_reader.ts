import type { Engine } from "../engine.ts";
import { CorruptionError } from "../errors.ts";
import {
  decodeHeader,
  FormatError,
  type Header,
  type Mac,
  macsEqual,
  macToHex,
  ResourceType,
} from "../format/mod.ts";
import { filePosition, verifyPackfile } from "../packfile/mod.ts";
import { rereadOnDamage } from "../unit/mod.ts";

/**
 * Reads the header of a snapshot and authenticates it: its id is not a hash of it, so that the whole
 * packfile that holds it is verified.
 *
 * @throws {CorruptionError} the header, or its packfile, is missing or damaged
 * @throws {StoreError} the store failed
 */
export async function readHeader(engine: Engine, id: Mac): Promise<Header> {
  try {
    return await engine.blobs.fromAnyCopy(ResourceType.SNAPSHOT, id, async (location) => {
      const encoded = await verifyPackfile(macToHex(location.packfile), engine, {
        part: { position: filePosition(location), length: location.length },
      });
      return decodedHeader(id, () => engine.codec.decode(encoded));
    });
  } catch (error) {
    if (!(error instanceof CorruptionError) || error.context.snapshot !== undefined) throw error;
    throw damagedHeader(id, error.message, error);
  }
}

/**
 * Reads the header of a snapshot and nothing around it, which is fast. Nothing vouches for it: good
 * for lists, and for looking at what is left of a damaged snapshot.
 *
 * @throws {CorruptionError} the header is missing, or cannot be decoded
 * @throws {StoreError} the store failed
 */
export function readUnverifiedHeader({ blobs }: Pick<Engine, "blobs">, id: Mac): Promise<Header> {
  return rereadOnDamage(async () => {
    const bytes = await blobs.read(ResourceType.SNAPSHOT, id);
    return decodedHeader(id, () => bytes);
  }, (problem) => new CorruptionError(problem, { snapshot: macToHex(id) }));
}

/** The header of a snapshot, which must say that it is this snapshot's. */
function decodedHeader(id: Mac, bytes: () => Uint8Array): Header {
  let header: Header;
  try {
    header = decodeHeader(bytes());
  } catch (error) {
    if (error instanceof FormatError) throw damagedHeader(id, error.message, error);
    throw error;
  }
  if (!macsEqual(header.identifier, id)) throw damagedHeader(id, "it is of another snapshot");
  return header;
}

function damagedHeader(id: Mac, problem: string, cause?: Error): CorruptionError {
  return new CorruptionError(
    `The header of snapshot ${macToHex(id).slice(0, 16)} is damaged: ${problem}`,
    { ...(cause instanceof CorruptionError && cause.context), snapshot: macToHex(id) },
    { cause },
  );
}
