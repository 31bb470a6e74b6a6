import { type ArchiveInput, chunksOf, transformed } from "../io/mod.ts";
import { decrypt } from "./encryption.ts";
import { detectFormat, requireMatchingKey } from "./format.ts";

/**
 * Opens the gzip bytes of an archive: as they are, or decrypted, told by the first byte.
 *
 * @throws {UnrecognizedFormatError} when it is neither
 * @throws {KeyMismatchError} when a key is missing, or given in vain
 */
export async function openGzip(
  input: ArchiveInput,
  privateKey: CryptoKey | undefined,
  signal?: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const stream = await input.open(signal);
  const reader = stream.getReader();
  let first: Uint8Array | undefined;
  try {
    for await (const chunk of chunksOf(reader)) {
      first = chunk;
      if (chunk.length > 0) break;
    }
    requireMatchingKey(detectFormat(first?.[0]), privateKey !== undefined);
  } catch (error) {
    await reader.cancel(error).catch(() => {}); // it has failed itself: that is this error
    throw error;
  }
  reader.releaseLock();
  const bytes = transformed(stream, async function* (rest) {
    if (first !== undefined) yield first;
    yield* chunksOf(rest);
  });
  return privateKey === undefined ? bytes : decrypt(bytes, privateKey);
}
