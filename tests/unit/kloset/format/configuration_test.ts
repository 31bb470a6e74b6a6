import { assertEquals, assertThrows } from "@std/assert";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  type Configuration,
  decodeConfiguration,
  decodeConfigurationFile,
  defaultConfiguration,
  encodeConfiguration,
  encodeConfigurationFile,
  FormatError,
  uuidFromString,
  verifyEnvelope,
} from "../../../../src/kloset/format/mod.ts";
import { encrypted, KDFS } from "./_encryption.ts";
import { blake3 } from "./_blake3.ts";
import { CONFIG_FILE, LZ4_COMPRESSION, REPOSITORY_ID, toHex } from "./_vectors.ts";

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

Deno.test("decodeConfigurationFile leaves the footer of an encrypted repository to the caller", () => {
  const key = new Uint8Array(32).fill(9);
  const file = encodeConfigurationFile(encrypted(KDFS[0]!), blake3(key));
  assertEquals(decodeConfigurationFile(file, blake3()).encryption?.kdf.kdf, "ARGON2ID");
  verifyEnvelope(file, blake3(key));
  assertThrows(() => verifyEnvelope(file, blake3()), FormatError);
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
