/** Reads of a stream. */
export type ByteStreamReader = ReadableStreamDefaultReader<Uint8Array>;

/**
 * A stream made of another by a generator that reads it.
 *
 * Whatever happens, the source is let go: at the end, on an error, and on cancelling, also when the
 * generator has not begun (its `finally` would never run) or waits for a source that has stalled.
 */
export function transformed<Part extends Uint8Array>(
  source: ReadableStream<Uint8Array>,
  parts: (reader: ByteStreamReader) => AsyncGenerator<Part, void, unknown>,
): ReadableStream<Part> {
  const reader = source.getReader();
  const generator = parts(reader);
  return new ReadableStream<Part>({
    async pull(controller) {
      try {
        const { done, value } = await generator.next();
        if (!done) return controller.enqueue(value);
      } catch (error) {
        await reader.cancel(error).catch(() => {}); // it has failed itself: that is this error
        throw error;
      }
      await reader.cancel();
      controller.close();
    },
    async cancel(reason) {
      await reader.cancel(reason);
      await generator.return();
    },
  }, { highWaterMark: 0 });
}

/** What a reader gives until its stream ends. */
export async function* chunksOf(reader: ByteStreamReader): AsyncGenerator<Uint8Array> {
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}
