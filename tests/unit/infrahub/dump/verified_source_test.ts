import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { bytesSource } from "../../../../src/infrahub/dump/bytes_source.ts";
import { DamagedDumpError } from "../../../../src/infrahub/errors.ts";
import { verifiedSource } from "../../../../src/infrahub/dump/verified_source.ts";
import { readAll, recordingReporter } from "../_support.ts";
import { read } from "./_inspection.ts";

const { signal } = new AbortController();

Deno.test("verifiedSource() passes a whole dump on as it is, and says what it was", async () => {
  const dump = read("postgres_15.dump");
  const reporter = recordingReporter();
  const source = verifiedSource(bytesSource("postgres", "/p", dump), "community", reporter);
  const { content } = await source.open(signal);
  assertEquals(await readAll(content), dump);
  assertEquals(reporter.lines, [
    "debug The postgres dump is complete: PostgreSQL custom-format dump 1.14",
  ]);
});

Deno.test("verifiedSource() fails instead of ending a cut dump, or one of the other edition", async () => {
  const rows = [
    ["postgres", "community", read("postgres_15.dump").subarray(0, 5_000)],
    ["neo4j", "community", read("enterprise_backup.tar")],
    ["neo4j", "enterprise", read("stream.zst")],
  ] as const;
  for (const [component, edition, bytes] of rows) {
    const reporter = recordingReporter();
    const source = verifiedSource(bytesSource(component, "/p", bytes), edition, reporter);
    const { content } = await source.open(signal);
    await assertRejects(() => readAll(content), DamagedDumpError);
    assertEquals(reporter.lines, []);
  }
});

Deno.test("verifiedSource() has nothing to say about the metadata", () => {
  const source = bytesSource("metadata", "/m", new Uint8Array(2));
  assertStrictEquals(verifiedSource(source, "community", recordingReporter()), source);
});
