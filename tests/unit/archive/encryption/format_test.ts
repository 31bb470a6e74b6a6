import { assertEquals, assertThrows } from "@std/assert";
import { detectFormat, requireMatchingKey } from "../../../../src/archive/encryption/format.ts";
import { KeyMismatchError, UnrecognizedFormatError } from "../../../../src/archive/mod.ts";

Deno.test("detectFormat tells gzip from encrypted, and names any other first byte", () => {
  assertEquals(detectFormat(0x1f), "gzip");
  assertEquals(detectFormat(0x02), "encrypted");
  assertThrows(
    () => detectFormat(0x0a),
    UnrecognizedFormatError,
    "failed to detect file format: unrecognized file format: first byte 0x0a " +
      "(expected 0x02 for encrypted or 0x1f for gzip)",
  );
  assertThrows(
    () => detectFormat(undefined),
    UnrecognizedFormatError,
    "failed to detect file format: failed to read file header: file is empty",
  );
});

Deno.test("requireMatchingKey wants a key for encrypted files and only for them", () => {
  requireMatchingKey("encrypted", true);
  requireMatchingKey("gzip", false);
  assertThrows(
    () => requireMatchingKey("encrypted", false),
    KeyMismatchError,
    "backup file is encrypted; provide --decrypt-key to decrypt",
  );
  assertThrows(
    () => requireMatchingKey("gzip", true),
    KeyMismatchError,
    "--decrypt-key provided but backup file is not encrypted",
  );
});
