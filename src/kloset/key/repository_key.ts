import type { Kernels } from "../../kernels/mod.ts";
import { type Encryption, FormatError, type KdfParameters } from "../format/mod.ts";
import { DEFAULT_KDF, deriveKey } from "./key_derivation.ts";
import {
  DecryptionError,
  decryptUnit,
  encryptionOverhead,
  encryptUnit,
  type UnitEncryption,
} from "../encryption/mod.ts";

const SUBKEY_ALGORITHM = "AES256-KW";
const DATA_ALGORITHM = "AES256-GCM-SIV";
const PIECE_BYTES = 64 * 1024;

/** Pieces that a CONFIG may ask for: what a unit of one piece may hold. */
const MAXIMUM_PIECE_BYTES = 512 * 1024 * 1024;

const CANARY_BYTES = 32;

/**
 * How the repository encrypts, with the key that the passphrase gives; whether it is the right one,
 * {@linkcode opensCanary} tells.
 *
 * @throws {FormatError} CONFIG asks for what no writer does; with the reason `version` where a later
 * one may
 */
export async function repositoryEncryption(
  passphrase: Uint8Array,
  encryption: Encryption,
  signal?: AbortSignal,
): Promise<UnitEncryption> {
  const { subKeyAlgorithm, dataAlgorithm, chunkSize } = encryption;
  const where = "CONFIG.Encryption";
  if (subKeyAlgorithm !== SUBKEY_ALGORITHM) {
    throw new FormatError(where, `wrapping with "${subKeyAlgorithm}" is not known`, "version");
  }
  if (dataAlgorithm !== DATA_ALGORITHM) {
    throw new FormatError(where, `encryption with "${dataAlgorithm}" is not known`, "version");
  }
  if (chunkSize < 1 || chunkSize > MAXIMUM_PIECE_BYTES) {
    throw new FormatError(where, `no writer makes pieces of ${chunkSize} bytes`);
  }
  return { key: await deriveKey(passphrase, encryption, signal), pieceBytes: chunkSize };
}

/** Whether the canary was made with this key; a damaged one was not. */
export function opensCanary(
  kernels: Kernels,
  encryption: UnitEncryption,
  { canary }: Encryption,
): boolean {
  const region = kernels.allocate(Math.max(canary.length, 1));
  try {
    kernels.bytes(region).set(canary);
    decryptUnit(kernels, encryption, region, 0, canary.length);
    return true;
  } catch (error) {
    if (error instanceof DecryptionError) return false;
    throw error;
  } finally {
    kernels.free(region);
  }
}

/** How {@linkcode newEncryption} works. */
export interface NewEncryptionOptions {
  /**
   * What a guess of the passphrase costs.
   *
   * @default as version 1.1.3 of the Go library has it
   */
  readonly kdf?: KdfParameters;
  readonly signal?: AbortSignal | undefined;
}

/** Encryption for a new repository: random salt and canary, and the key. */
export async function newEncryption(
  kernels: Kernels,
  passphrase: Uint8Array,
  { kdf = DEFAULT_KDF, signal }: NewEncryptionOptions = {},
): Promise<{ readonly configuration: Encryption; readonly unit: UnitEncryption }> {
  const settings = {
    subKeyAlgorithm: SUBKEY_ALGORITHM,
    dataAlgorithm: DATA_ALGORITHM,
    chunkSize: PIECE_BYTES,
    salt: crypto.getRandomValues(new Uint8Array(kdf.saltSize)),
    kdf,
  };
  const unit: UnitEncryption = {
    key: await deriveKey(passphrase, settings, signal),
    pieceBytes: PIECE_BYTES,
  };
  return { configuration: { ...settings, canary: newCanary(kernels, unit) }, unit };
}

function newCanary(kernels: Kernels, unit: UnitEncryption): Uint8Array {
  const start = encryptionOverhead(CANARY_BYTES, unit);
  const region = kernels.allocate(start + CANARY_BYTES);
  try {
    kernels.bytes(region, start).set(crypto.getRandomValues(new Uint8Array(CANARY_BYTES)));
    const length = encryptUnit(kernels, unit, region, start, CANARY_BYTES);
    return kernels.bytes(region, 0, length).slice();
  } finally {
    kernels.free(region);
  }
}
