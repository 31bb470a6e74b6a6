import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ArchiveIoError, spool } from "../../../../src/archive/mod.ts";
import { namesIn, noise, streamOf, withTempDirectory } from "../_support.ts";

Deno.test("spool keeps a stream in a private file until it is let go", async () => {
  await withTempDirectory(async (directory) => {
    const content = noise(300_000);
    const progress: number[] = [];
    {
      await using file = await spool(directory, streamOf(content), {
        onProgress: (bytes) => progress.push(bytes),
      });
      const [name = ""] = await namesIn(directory);
      assertMatch(name, /^\.infrahub_backup_[0-9a-f]{32}\.part$/);
      assertEquals(file.path, `${directory}/${name}`);
      assertEquals(((await Deno.stat(file.path)).mode ?? 0) & 0o777, 0o600);
      assertEquals(await Deno.readFile(file.path), content);
      assertEquals(file.bytes, content.length);
      assertEquals(progress.at(-1), content.length);
    }
    assertEquals(await namesIn(directory), []);
  });
});

Deno.test("spool removes the file when the stream fails", async () => {
  await withTempDirectory(async (directory) => {
    let pulls = 0;
    const failing = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (++pulls === 3) throw new Error("pg_dump exited with 1");
        controller.enqueue(noise(1000));
      },
    });
    await assertRejects(() => spool(directory, failing), Error, "pg_dump exited with 1");
    assertEquals(await namesIn(directory), []);
  });
});

Deno.test("spool removes the file when it is aborted while the stream stalls", async () => {
  await withTempDirectory(async (directory) => {
    const aborting = new AbortController();
    let cancelled: unknown;
    const stalling = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(noise(1000)),
      pull: () => aborting.abort(new Error("enough")),
      cancel: (reason) => void (cancelled = reason),
    }, { highWaterMark: 0 });
    await assertRejects(
      () => spool(directory, stalling, { signal: aborting.signal }),
      Error,
      "enough",
    );
    assertEquals(cancelled, aborting.signal.reason);
    assertEquals(await namesIn(directory), []);
  });
});

Deno.test("spool cancels the stream when the file cannot be made", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  await assertRejects(() => spool("/dev/null", stream), ArchiveIoError, "Cannot write");
  assertEquals(cancelled, true);
});
