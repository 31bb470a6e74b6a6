import { assertEquals } from "@std/assert";
import { redactUrls } from "../../../../src/cli/process/redact.ts";

Deno.test("redactUrls hides user information and leaves the rest", async (t) => {
  const rows: [string, string][] = [
    ["open s3://AK:SK@host:9000/bucket failed", "open s3://***@host:9000/bucket failed"],
    ["s3://AK:a/b+c=@host/b", "s3://***@host/b"],
    ["s3://AK@host/b", "s3://***@host/b"],
    ["s3://host:9000/bucket/p", "s3://host:9000/bucket/p"],
    ["fs:///srv/a@b", "fs:///srv/a@b"],
    ["mail me@example.org", "mail me@example.org"],
  ];
  for (const [text, want] of rows) {
    await t.step(text, () => assertEquals(redactUrls(text), want));
  }
});
