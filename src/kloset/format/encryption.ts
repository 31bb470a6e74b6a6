import { FormatError } from "./format_error.ts";
import type { MsgpackWriter } from "./msgpack_writer.ts";
import type { StructReader } from "./struct_reader.ts";

/** Parameters of Argon2id; memory in KiB, lengths in bytes. */
export interface Argon2idParameters {
  readonly kdf: "ARGON2ID";
  readonly saltSize: number;
  readonly time: number;
  readonly memory: number;
  readonly threads: number;
  readonly keyLength: number;
}

/** Parameters of scrypt; lengths in bytes. */
export interface ScryptParameters {
  readonly kdf: "SCRYPT";
  readonly saltSize: number;
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly keyLength: number;
}

/** Parameters of PBKDF2; lengths in bytes. */
export interface Pbkdf2Parameters {
  readonly kdf: "PBKDF2";
  readonly saltSize: number;
  readonly iterations: number;
  readonly keyLength: number;
  readonly hashing: string;
}

/** How the key comes from the passphrase. */
export type KdfParameters = Argon2idParameters | ScryptParameters | Pbkdf2Parameters;

/** The encryption part of CONFIG; absent in plaintext repositories. */
export interface Encryption {
  /** How subkeys are wrapped: `AES256-KW` or `AES256-GCM`. */
  readonly subKeyAlgorithm: string;
  /** `AES256-GCM-SIV`. */
  readonly dataAlgorithm: string;
  /** Plain bytes per encrypted piece. */
  readonly chunkSize: number;
  readonly salt: Uint8Array;
  readonly kdf: KdfParameters;
  /** An encrypted unit that only the right key decrypts. */
  readonly canary: Uint8Array;
}

/** Writes the value of CONFIG's `Encryption`. */
export function encodeEncryption(writer: MsgpackWriter, encryption: Encryption): void {
  const { kdf } = encryption;
  writer.struct([
    ["SubKeyAlgorithm", (w) => w.string(encryption.subKeyAlgorithm)],
    ["DataAlgorithm", (w) => w.string(encryption.dataAlgorithm)],
    ["ChunkSize", (w) => w.int(encryption.chunkSize)],
    ["KDFParams", (w) =>
      w.struct([
        ["KDF", (w) => w.string(kdf.kdf)],
        ["Salt", (w) => w.bytes(encryption.salt)],
        kdf.kdf === "ARGON2ID" && ["argon2id", (w) =>
          w.struct([
            ["SaltSize", (w) => w.uint32(kdf.saltSize)],
            ["Time", (w) => w.uint32(kdf.time)],
            ["Memory", (w) => w.uint32(kdf.memory)],
            ["Threads", (w) => w.uint8(kdf.threads)],
            ["KeyLen", (w) => w.uint32(kdf.keyLength)],
          ])],
        kdf.kdf === "SCRYPT" && ["scrypt", (w) =>
          w.struct([
            ["SaltSize", (w) => w.uint32(kdf.saltSize)],
            ["N", (w) => w.int(kdf.n)],
            ["R", (w) => w.int(kdf.r)],
            ["P", (w) => w.int(kdf.p)],
            ["KeyLen", (w) => w.int(kdf.keyLength)],
          ])],
        kdf.kdf === "PBKDF2" && ["pbkdf2", (w) =>
          w.struct([
            ["SaltSize", (w) => w.uint32(kdf.saltSize)],
            ["Iterations", (w) => w.int(kdf.iterations)],
            ["KeyLen", (w) => w.int(kdf.keyLength)],
            ["Hashing", (w) => w.string(kdf.hashing)],
          ])],
      ])],
    ["Canary", (w) => w.bytes(encryption.canary)],
  ]);
}

const FIELDS = ["SubKeyAlgorithm", "DataAlgorithm", "ChunkSize", "KDFParams", "Canary"];
const KDF_FIELDS = ["KDF", "Salt", "argon2id", "scrypt", "pbkdf2"];
const ARGON2ID_FIELDS = ["SaltSize", "Time", "Memory", "Threads", "KeyLen"];
const SCRYPT_FIELDS = ["SaltSize", "N", "R", "P", "KeyLen"];
const PBKDF2_FIELDS = ["SaltSize", "Iterations", "KeyLen", "Hashing"];

/**
 * Reads the encryption part of CONFIG.
 *
 * @throws {FormatError} If it is malformed, or names an unknown way to derive the key.
 */
export function decodeEncryption(configuration: StructReader, name: string): Encryption {
  const fields = configuration.struct(name, FIELDS);
  const kdf = fields.struct("KDFParams", KDF_FIELDS);
  return {
    subKeyAlgorithm: fields.string("SubKeyAlgorithm"),
    dataAlgorithm: fields.string("DataAlgorithm"),
    chunkSize: fields.size("ChunkSize"),
    salt: kdf.bytes("Salt") ?? new Uint8Array(0),
    kdf: decodeKdf(kdf),
    canary: fields.bytes("Canary") ?? new Uint8Array(0),
  };
}

function decodeKdf(fields: StructReader): KdfParameters {
  const kdf = fields.string("KDF");
  if (kdf === "ARGON2ID") {
    const parameters = fields.struct("argon2id", ARGON2ID_FIELDS);
    return {
      kdf,
      saltSize: parameters.uint("SaltSize", 32),
      time: parameters.uint("Time", 32),
      memory: parameters.uint("Memory", 32),
      threads: parameters.uint("Threads", 8),
      keyLength: parameters.uint("KeyLen", 32),
    };
  }
  if (kdf === "SCRYPT") {
    const parameters = fields.struct("scrypt", SCRYPT_FIELDS);
    return {
      kdf,
      saltSize: parameters.uint("SaltSize", 32),
      n: parameters.size("N"),
      r: parameters.size("R"),
      p: parameters.size("P"),
      keyLength: parameters.size("KeyLen"),
    };
  }
  if (kdf === "PBKDF2") {
    const parameters = fields.struct("pbkdf2", PBKDF2_FIELDS);
    return {
      kdf,
      saltSize: parameters.uint("SaltSize", 32),
      iterations: parameters.size("Iterations"),
      keyLength: parameters.size("KeyLen"),
      hashing: parameters.string("Hashing"),
    };
  }
  throw new FormatError("CONFIG.Encryption.KDFParams.KDF", `"${kdf}" is not known`, "version");
}
