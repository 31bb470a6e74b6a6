import {
  type Configuration,
  defaultConfiguration,
  type Encryption,
  type KdfParameters,
  uuidFromString,
} from "../../../../src/kloset/format/mod.ts";
import { hex, REPOSITORY_ID } from "./_vectors.ts";

/** The settings of an encrypted repository. */
export function encrypted(kdf: KdfParameters): Configuration {
  const encryption: Encryption = {
    subKeyAlgorithm: "AES256-KW",
    dataAlgorithm: "AES256-GCM-SIV",
    chunkSize: 65536,
    salt: hex("e3fd6885957c6bd29e66feba601b62a2"),
    kdf,
    canary: new Uint8Array(100).fill(7),
  };
  return {
    ...defaultConfiguration(uuidFromString(REPOSITORY_ID), 1_700_000_000_000_000_000n),
    encryption,
  };
}

/** One of each kind. */
export const KDFS: KdfParameters[] = [
  { kdf: "ARGON2ID", saltSize: 16, time: 4, memory: 262144, threads: 1, keyLength: 32 },
  { kdf: "SCRYPT", saltSize: 16, n: 32768, r: 8, p: 1, keyLength: 32 },
  { kdf: "PBKDF2", saltSize: 16, iterations: 100000, keyLength: 32, hashing: "SHA256" },
];
