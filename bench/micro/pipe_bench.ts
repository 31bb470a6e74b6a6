/**
 * Speed of reading a command's standard output, as every backup does it. Every iteration reads
 * 64 MiB, so the column `iter/s` divided by 16 is the speed in GiB/s.
 *
 * @module
 */
import { streamCommand } from "../../src/environment/mod.ts";

const LENGTH = 64 * 1024 ** 2;
/** What the chunker asks for at a time. */
const READ_BYTES = 1024 ** 2;

Deno.bench("read a pipe, into a buffer of one's own", async () => {
  const { stdout, finished } = streamCommand({
    argv: ["/usr/bin/head", "-c", String(LENGTH), "/dev/zero"],
    stallTimeoutMs: 60_000,
    signal: new AbortController().signal,
  });
  const reader = stdout.getReader({ mode: "byob" });
  let buffer = new Uint8Array(READ_BYTES);
  let bytes = 0;
  for (let done = false; !done;) {
    const read = await reader.read(buffer);
    done = read.done;
    bytes += read.value?.byteLength ?? 0;
    if (read.value !== undefined) buffer = new Uint8Array(read.value.buffer);
  }
  await finished;
  if (bytes !== LENGTH) throw new Error(`Read ${bytes} bytes, not ${LENGTH}`);
});
