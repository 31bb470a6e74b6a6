import { assertEquals, assertThrows } from "@std/assert";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  type Configuration,
  decodeConfiguration,
  decodeConfigurationFile,
  defaultConfiguration,
  encodeConfiguration,
  encodeConfigurationFile,
  type Encryption,
  FormatError,
  type KdfParameters,
  uuidFromString,
  verifyEnvelope,
} from "../../../../src/kloset/format/mod.ts";
import { blake3 } from "./_blake3.ts";
import { CONFIG_FILE, hex, LZ4_COMPRESSION, REPOSITORY_ID, toHex } from "./_vectors.ts";

const DEFAULTS = defaultConfiguration(
  uuidFromString(REPOSITORY_ID),
  1_700_000_000_000_000_000n,
);
/** What Go wrote to the vector: its sizes of chunks, and no compression. */
const OF_GO: Configuration = {
  ...DEFAULTS,
  chunking: {
    algorithm: "fastcdc-v1.0.0",
    minSize: 512 << 10,
    normalSize: 1 << 20,
    maxSize: 8 << 20,
  },
  compression: undefined,
};

function encrypted(kdf: KdfParameters): Configuration {
  const encryption: Encryption = {
    subKeyAlgorithm: "AES256-KW",
    dataAlgorithm: "AES256-GCM-SIV",
    chunkSize: 65536,
    salt: hex("e3fd6885957c6bd29e66feba601b62a2"),
    kdf,
    canary: new Uint8Array(100).fill(7),
  };
  return { ...DEFAULTS, encryption };
}

const KDFS: KdfParameters[] = [
  { kdf: "ARGON2ID", saltSize: 16, time: 4, memory: 262144, threads: 1, keyLength: 32 },
  { kdf: "SCRYPT", saltSize: 16, n: 32768, r: 8, p: 1, keyLength: 32 },
  { kdf: "PBKDF2", saltSize: 16, iterations: 100000, keyLength: 32, hashing: "SHA256" },
];

Deno.test("decodeConfigurationFile reads the CONFIG that Go wrote", () => {
  assertEquals(decodeConfigurationFile(CONFIG_FILE, blake3()), OF_GO);
});

Deno.test("encodeConfigurationFile writes the CONFIG that Go wrote", () => {
  assertEquals(encodeConfigurationFile(OF_GO, blake3()), CONFIG_FILE);
});

Deno.test("defaultConfiguration has the compression of version 1.1.3", () => {
  const encoded = toHex(encodeConfiguration(DEFAULTS));
  assertEquals(encoded.includes("ab436f6d7072657373696f6e" + toHex(LZ4_COMPRESSION)), true);
});

Deno.test("decodeConfiguration undoes encodeConfiguration", () => {
  for (const configuration of [DEFAULTS, OF_GO, ...KDFS.map(encrypted)]) {
    assertEquals(decodeConfiguration(encodeConfiguration(configuration)), configuration);
  }
});

Deno.test("encodeConfiguration writes the encryption part in Go's dialect", () => {
  const [argon2id] = KDFS;
  const encoded = toHex(encodeConfiguration(encrypted(argon2id!)));
  const name = (text: string) =>
    (0xa0 + text.length).toString(16) + toHex(new TextEncoder().encode(text));
  assertEquals(encoded.includes(name("ChunkSize") + "ce00010000"), true);
  assertEquals(
    encoded.includes(
      name("KDFParams") + "83" + name("KDF") + name("ARGON2ID") + name("Salt") +
        "c410e3fd6885957c6bd29e66feba601b62a2" + name("argon2id") + "85" + name("SaltSize") +
        "ce00000010" + name("Time") + "ce00000004" + name("Memory") + "ce00040000" +
        name("Threads") + "cc01" + name("KeyLen") + "ce00000020" + name("Canary") + "c464",
    ),
    true,
  );
});

Deno.test("decodeConfigurationFile leaves the footer of an encrypted repository to the caller", () => {
  const key = new Uint8Array(32).fill(9);
  const file = encodeConfigurationFile(encrypted(KDFS[0]!), blake3(key));
  assertEquals(decodeConfigurationFile(file, blake3()).encryption?.kdf.kdf, "ARGON2ID");
  verifyEnvelope(file, blake3(key));
  assertThrows(() => verifyEnvelope(file, blake3()), FormatError);
});

Deno.test("decodeConfiguration reports an unknown key derivation as such", () => {
  const encoded = encodeConfiguration(encrypted(KDFS[0]!));
  const at = toHex(encoded).indexOf(toHex(new TextEncoder().encode("ARGON2ID"))) / 2;
  encoded[at] = "X".charCodeAt(0);
  assertEquals(assertThrows(() => decodeConfiguration(encoded), FormatError).reason, "version");
});

Deno.test("decodeConfiguration keeps a packfile size of 2^64-1", () => {
  const unlimited = {
    ...DEFAULTS,
    packfile: { minSize: 0n, averageSize: 0n, maxSize: 2n ** 64n - 1n },
  };
  assertEquals(decodeConfiguration(encodeConfiguration(unlimited)), unlimited);
});

Deno.test("decodeConfigurationFile refuses damage, whatever it is", () => {
  const hash = blake3();
  assertFailsCleanly(CONFIG_FILE, (file) => decodeConfigurationFile(file, hash), FormatError);
  for (const configuration of KDFS.map(encrypted)) {
    assertFailsCleanly(encodeConfiguration(configuration), decodeConfiguration, FormatError);
  }
});
