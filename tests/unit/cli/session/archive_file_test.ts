import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseArchiveUri, requireBackupFile } from "../../../../src/cli/session/archive_file.ts";
import { UsageError } from "../../../../src/cli/syntax/usage_error.ts";

Deno.test("parseArchiveUri takes bucket and key apart at the first slash", () => {
  assertEquals(parseArchiveUri("s3://b/daily/a.tar.gz"), { bucket: "b", key: "daily/a.tar.gz" });
});

Deno.test("parseArchiveUri refuses what names no archive, and repeats no secret", () => {
  assertThrows(() => parseArchiveUri("s3:///a"), UsageError, "it names no bucket");
  for (const uri of ["s3://b", "s3://b/", "s3://b/folder/"]) {
    assertThrows(() => parseArchiveUri(uri), UsageError, "it names no archive in the bucket");
  }
  for (const uri of ["s3://id:secret@b/a", "s3://host:9000/a"]) {
    const error = assertThrows(() => parseArchiveUri(uri), UsageError, "--s3-endpoint");
    assertEquals(error.message.includes("secret"), false);
  }
});

Deno.test("requireBackupFile tells of a file that is not there", async () => {
  await requireBackupFile(new URL(import.meta.url).pathname);
  await assertRejects(
    () => requireBackupFile("/nowhere/a.tar.gz"),
    UsageError,
    "backup file not found: /nowhere/a.tar.gz",
  );
});
