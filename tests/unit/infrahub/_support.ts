import type { Reporter } from "../../../src/infrahub/mod.ts";

/** A reporter that keeps the messages, each with its severity in front. */
export function recordingReporter(): Reporter & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    debug: (message) => void lines.push(`debug ${message}`),
    info: (message) => void lines.push(`info ${message}`),
    warn: (message) => void lines.push(`warn ${message}`),
  };
}

/** Runs a test with a directory of its own, which is removed afterwards. */
export async function withTempDirectory(
  action: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infrahub_unit_" });
  try {
    await action(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Reads a stream to its end. */
export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
}
