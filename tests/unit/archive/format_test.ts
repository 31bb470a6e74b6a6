import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ArchiveIoError,
  detectFileFormat,
  detectFormat,
  KeyMismatchError,
  requireMatchingKey,
  UnrecognizedFormatError,
} from "../../../src/archive/mod.ts";
import { FIXTURES, withTempDirectory } from "./_support.ts";

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

Deno.test("detectFileFormat looks at the first byte of a file", async () => {
  assertEquals(await detectFileFormat(`${FIXTURES}community.tar.gz`), "gzip");
  assertEquals(await detectFileFormat(`${FIXTURES}encrypted.tar.gz.enc`), "encrypted");
  await withTempDirectory(async (directory) => {
    await Deno.writeFile(`${directory}/empty`, new Uint8Array());
    await assertRejects(() => detectFileFormat(`${directory}/empty`), UnrecognizedFormatError);
    await assertRejects(
      () => detectFileFormat(`${directory}/absent`),
      ArchiveIoError,
      "failed to detect file format: failed to read file header: no such file or directory",
    );
  });
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
