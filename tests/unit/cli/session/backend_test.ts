import { assertEquals, assertThrows } from "@std/assert";
import { requireKnownBackend } from "../../../../src/cli/session/backend.ts";
import { createRootCommand } from "../../../../src/cli/syntax/root_command.ts";
import { UsageError } from "../../../../src/cli/syntax/usage_error.ts";

function backendOf(line: string, s3Upload = false) {
  const globals = createRootCommand(false).parse(line.split(" ").filter(Boolean), { from: "user" })
    .opts();
  return requireKnownBackend(globals, s3Upload);
}

Deno.test("requireKnownBackend takes what goes together", () => {
  assertEquals(backendOf(""), "tarball");
  assertEquals(backendOf("--s3-bucket b", true), "tarball");
  assertEquals(backendOf("--backend plakar --repo /r"), "plakar");
  assertEquals(
    backendOf("--backend plakar --repo s3://b/r --s3-endpoint http://s3 --s3-region eu"),
    "plakar",
  );
});

Deno.test("requireKnownBackend refuses what does not", () => {
  const cases: [line: string, s3Upload: boolean, message: string][] = [
    ["--backend zip", false, "unknown backend: zip, expected 'tarball' or 'plakar'"],
    ["--passphrase-file f", false, "--passphrase-file is for repositories"],
    ["--backend plakar", false, "--repo is required when using plakar backend"],
    ["--backend plakar --repo /r", true, "cannot be used with plakar backend"],
    ["--backend plakar --repo s3://b/r --s3-bucket b", false, "cannot be used with plakar"],
    ["--backend plakar --repo /r --s3-region eu", false, "cannot be used with plakar backend"],
  ];
  for (const [line, s3Upload, message] of cases) {
    assertThrows(() => backendOf(line, s3Upload), UsageError, message, line);
  }
});
