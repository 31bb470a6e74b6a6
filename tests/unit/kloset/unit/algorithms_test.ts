import { assertEquals, assertThrows } from "@std/assert";
import { UnsupportedVersionError } from "../../../../src/kloset/mod.ts";
import { compressionAlgorithm, hashAlgorithm } from "../../../../src/kloset/unit/mod.ts";
import { smallConfiguration } from "../../../faults/backups.ts";

const WHERE = { location: "fs:///backups" };
const { compression } = smallConfiguration();

Deno.test("compressionAlgorithm() knows what this engine reads, and refuses the rest by name", () => {
  const of = (algorithm: string) =>
    compressionAlgorithm(
      smallConfiguration({ compression: { ...compression!, algorithm } }),
      WHERE,
    );
  assertEquals([of("LZ4"), of("GZIP")], ["LZ4", "GZIP"]);
  assertEquals(
    compressionAlgorithm(smallConfiguration({ compression: undefined }), WHERE),
    undefined,
  );
  assertThrows(
    () => of("ZSTD"),
    UnsupportedVersionError,
    'Cannot open repository "fs:///backups": unknown compression "ZSTD"',
  );
});

Deno.test("hashAlgorithm() knows what this engine computes, and refuses the rest by name", () => {
  const of = (algorithm: string) =>
    hashAlgorithm(smallConfiguration({ hashing: { algorithm, bits: 256 } }), WHERE);
  assertEquals([of("BLAKE3"), of("SHA256")], ["BLAKE3", "SHA256"]);
  assertThrows(
    () => of("MD5"),
    UnsupportedVersionError,
    'Cannot open repository "fs:///backups": unknown hash "MD5"',
  );
});
