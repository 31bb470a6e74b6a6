/** What looks at a stream's bytes while they pass. */
export interface StreamObserver {
  /** Takes the next bytes, which may be reused afterwards. What it throws fails the stream. */
  observe(bytes: Uint8Array): void;
  /** Called after the last byte, before the stream ends. What it throws fails the stream. */
  finish(): void;
}

/** Read size when the reader brings no buffer of its own; a pipe holds 64 KiB by default. */
const READ_BYTES = 64 * 1024;

/**
 * Passes a stream's bytes on and shows them to the observer. A byte stream stays one: it reads into
 * the consumer's buffer, so that nothing is copied or allocated on the way.
 */
export function observedStream(
  content: ReadableStream<Uint8Array>,
  observer: StreamObserver,
): ReadableStream<Uint8Array> {
  const reader = byobReader(content);
  return reader === undefined ? observedPieces(content, observer) : observedBytes(reader, observer);
}

function observedBytes(
  reader: ReadableStreamBYOBReader,
  observer: StreamObserver,
): ReadableStream<Uint8Array> {
  let isGivenUp = false;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: READ_BYTES,
    async pull(controller) {
      const request = controller.byobRequest!;
      const { buffer, byteOffset, byteLength } = request.view!;
      const target = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
      const { done, value } = await reader.read(target);
      // The end that a waiting read comes to then is not the stream's.
      if (isGivenUp) return;
      try {
        if (done) observer.finish();
        else observer.observe(value);
      } catch (error) {
        await reader.cancel(error).catch(() => {
          // The observer's reason is the one that is told.
        });
        throw error;
      }
      if (!done) {
        request.respondWithNewView(value);
        return;
      }
      controller.close();
      // The consumer's request is answered with the empty rest of its buffer.
      if (value !== undefined) request.respondWithNewView(value);
    },
    cancel(reason) {
      isGivenUp = true;
      return reader.cancel(reason);
    },
  });
}

function observedPieces(
  content: ReadableStream<Uint8Array>,
  observer: StreamObserver,
): ReadableStream<Uint8Array> {
  return content.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>(
      {
        transform(bytes, controller) {
          observer.observe(bytes);
          controller.enqueue(bytes);
        },
        flush: () => observer.finish(),
      },
      { highWaterMark: 1 },
      { highWaterMark: 0 },
    ),
  );
}

function byobReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: "byob" });
  } catch (error) {
    // Not a byte stream.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
