/**
 * CONFIG: what a repository was created with.
 *
 * @module
 */

import { encodeEnvelope, splitEnvelope, verifyEnvelope } from "./envelope.ts";
import { decodeEncryption, encodeEncryption, type Encryption } from "./encryption.ts";
import type { MacFunction } from "./mac.ts";
import { encodeStruct } from "./msgpack_writer.ts";
import { ResourceType } from "./resource_type.ts";
import { StructReader } from "./struct_reader.ts";
import type { Uuid } from "./uuid.ts";
import { VERSION_1_0_0 } from "./version.ts";

/** Name of chunk boundaries cut with masks derived from the sizes. */
export const FASTCDC_V1_0_0 = "fastcdc-v1.0.0";

/** Sizes of packfiles in bytes; 64-bit, as some stores record "no limit" as 2^64-1. */
export interface PackfileConfiguration {
  readonly minSize: bigint;
  readonly averageSize: bigint;
  /** A packfile is closed when its data exceeds this. */
  readonly maxSize: bigint;
}

/** How files are cut into chunks; sizes in bytes. */
export interface ChunkingConfiguration {
  /** As written; readers compare it in lower case. */
  readonly algorithm: string;
  readonly minSize: number;
  readonly normalSize: number;
  readonly maxSize: number;
}

/** What MACs are made with: `BLAKE3` or `SHA256`. */
export interface HashingConfiguration {
  readonly algorithm: string;
  readonly bits: number;
}

/** What blobs are compressed with; all but the algorithm is informative only. */
export interface CompressionConfiguration {
  /** `LZ4`, `GZIP` or `ZSTD`, exact case. */
  readonly algorithm: string;
  readonly level: number;
  readonly windowSize: number;
  readonly chunkSize: number;
  readonly blockSize: number;
  readonly enableCrc: boolean;
}

/** The content of CONFIG. */
export interface Configuration {
  /** Creation time, nanoseconds since 1970. */
  readonly timestampNs: bigint;
  readonly repositoryId: Uuid;
  readonly packfile: PackfileConfiguration;
  readonly chunking: ChunkingConfiguration;
  readonly hashing: HashingConfiguration;
  /** `undefined`: blobs are not compressed. */
  readonly compression: CompressionConfiguration | undefined;
  /** `undefined`: a plaintext repository. */
  readonly encryption: Encryption | undefined;
}

/**
 * What a new repository has: LZ4, 64 MiB packfiles, BLAKE3, no encryption, as version 1.1.3 of the Go
 * library; chunks of 256 KiB, where that library has 1 MiB. Whoever writes to a repository takes the
 * sizes from its CONFIG.
 *
 * Dumps change in few places, and each change costs a chunk or two: 1 % of the rows of a database,
 * side by side, add 4 MiB in place of 14, for a first backup that takes a tenth longer
 * (docs/performance.md).
 */
export function defaultConfiguration(repositoryId: Uuid, timestampNs: bigint): Configuration {
  return {
    timestampNs,
    repositoryId,
    packfile: { minSize: 0n, averageSize: 0n, maxSize: 64n << 20n },
    chunking: {
      algorithm: FASTCDC_V1_0_0,
      minSize: 128 << 10,
      normalSize: 256 << 10,
      maxSize: 2 << 20,
    },
    hashing: { algorithm: "BLAKE3", bits: 256 },
    compression: {
      algorithm: "LZ4",
      level: 128 << 10,
      windowSize: -1,
      chunkSize: -1,
      blockSize: -1,
      enableCrc: false,
    },
    encryption: undefined,
  };
}

/** The payload of CONFIG. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const { packfile, chunking, hashing, compression, encryption } = configuration;
  return encodeStruct([
    ["Timestamp", (w) => w.time(configuration.timestampNs)],
    ["RepositoryID", (w) => w.bytes(configuration.repositoryId)],
    ["Packfile", (w) =>
      w.struct([
        ["MinSize", (w) => w.uint64(packfile.minSize)],
        ["AvgSize", (w) => w.uint64(packfile.averageSize)],
        ["MaxSize", (w) => w.uint64(packfile.maxSize)],
      ])],
    ["Chunking", (w) =>
      w.struct([
        ["Algorithm", (w) => w.string(chunking.algorithm)],
        ["MinSize", (w) => w.uint32(chunking.minSize)],
        ["NormalSize", (w) => w.uint32(chunking.normalSize)],
        ["MaxSize", (w) => w.uint32(chunking.maxSize)],
      ])],
    ["Hashing", (w) =>
      w.struct([
        ["Algorithm", (w) => w.string(hashing.algorithm)],
        ["Bits", (w) => w.uint32(hashing.bits)],
      ])],
    ["Compression", (w) => {
      if (compression === undefined) return w.nil();
      w.struct([
        ["Algorithm", (w) => w.string(compression.algorithm)],
        ["Level", (w) => w.int(compression.level)],
        ["WindowSize", (w) => w.int(compression.windowSize)],
        ["ChunkSize", (w) => w.int(compression.chunkSize)],
        ["BlockSize", (w) => w.int(compression.blockSize)],
        ["EnableCRC", (w) => w.bool(compression.enableCrc)],
      ]);
    }],
    ["Encryption", (w) => {
      if (encryption === undefined) return w.nil();
      encodeEncryption(w, encryption);
    }],
  ]);
}

const FIELDS = [
  "Timestamp",
  "RepositoryID",
  "Packfile",
  "Chunking",
  "Hashing",
  "Compression",
  "Encryption",
];
const PACKFILE_FIELDS = ["MinSize", "AvgSize", "MaxSize"];
const CHUNKING_FIELDS = ["Algorithm", "MinSize", "NormalSize", "MaxSize"];
const HASHING_FIELDS = ["Algorithm", "Bits"];
const COMPRESSION_FIELDS = [
  "Algorithm",
  "Level",
  "WindowSize",
  "ChunkSize",
  "BlockSize",
  "EnableCRC",
];

/**
 * Reads the payload of CONFIG. Whether this code supports the named algorithms is for the caller to
 * judge.
 *
 * @throws {FormatError} If the payload is malformed.
 */
export function decodeConfiguration(payload: Uint8Array): Configuration {
  const fields = StructReader.fromBytes(payload, FIELDS, "CONFIG");
  const packfile = fields.struct("Packfile", PACKFILE_FIELDS);
  const chunking = fields.struct("Chunking", CHUNKING_FIELDS);
  const hashing = fields.struct("Hashing", HASHING_FIELDS);
  return {
    timestampNs: fields.time("Timestamp"),
    repositoryId: fields.uuid("RepositoryID"),
    packfile: {
      minSize: packfile.uint64("MinSize"),
      averageSize: packfile.uint64("AvgSize"),
      maxSize: packfile.uint64("MaxSize"),
    },
    chunking: {
      algorithm: chunking.string("Algorithm"),
      minSize: chunking.uint("MinSize", 32),
      normalSize: chunking.uint("NormalSize", 32),
      maxSize: chunking.uint("MaxSize", 32),
    },
    hashing: { algorithm: hashing.string("Algorithm"), bits: hashing.uint("Bits", 32) },
    compression: fields.has("Compression")
      ? decodeCompression(fields.struct("Compression", COMPRESSION_FIELDS))
      : undefined,
    encryption: fields.has("Encryption") ? decodeEncryption(fields, "Encryption") : undefined,
  };
}

function decodeCompression(fields: StructReader): CompressionConfiguration {
  return {
    algorithm: fields.string("Algorithm"),
    level: fields.int("Level"),
    windowSize: fields.int("WindowSize"),
    chunkSize: fields.int("ChunkSize"),
    blockSize: fields.int("BlockSize"),
    enableCrc: fields.bool("EnableCRC"),
  };
}

/**
 * The CONFIG file of a repository.
 *
 * @param hash BLAKE3 of 32 bytes: unkeyed when plaintext, keyed with the derived key when
 *   encrypted.
 */
export function encodeConfigurationFile(
  configuration: Configuration,
  hash: MacFunction,
): Uint8Array {
  const payload = encodeConfiguration(configuration);
  return encodeEnvelope(ResourceType.CONFIG, VERSION_1_0_0, payload, hash);
}

/**
 * Reads a CONFIG file. Its footer is checked when the repository is plaintext. When `encryption` is
 * set, the footer needs the key that the passphrase gives: the caller derives it and calls
 * `verifyEnvelope`.
 *
 * @param blake3 The unkeyed BLAKE3 hash, 32 bytes.
 * @throws {FormatError} If the file is malformed, of a newer version, or does not match its footer.
 */
export function decodeConfigurationFile(bytes: Uint8Array, blake3: MacFunction): Configuration {
  const { payload } = splitEnvelope(bytes, ResourceType.CONFIG, VERSION_1_0_0);
  const configuration = decodeConfiguration(payload);
  if (configuration.encryption === undefined) verifyEnvelope(bytes, blake3);
  return configuration;
}
