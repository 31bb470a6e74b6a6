import { ByteReader, type TemporaryFile, transformed } from "../io/mod.ts";
import {
  CHUNK_BYTES,
  decryptWith,
  encodeHeader,
  sealChunk,
  type Session,
} from "../encryption/mod.ts";
import { fileInput } from "../input.ts";

/**
 * The way of the bytes of an archive to its file: gzip, encryption where there is a session, disk.
 *
 * gzip is the runtime's own, level 6 as in the Go tool: as fast as that of `node:zlib` when
 * measured, and its memory does not grow either.
 */
export class ArchiveOutput {
  readonly #file: TemporaryFile;
  readonly #session: Session | undefined;

  constructor(file: TemporaryFile, session: Session | undefined) {
    this.#file = file;
    this.#session = session;
  }

  /** Takes all bytes of the tar; rejects with the signal's reason or with the first error. */
  async consume(
    tar: ReadableStream<Uint8Array<ArrayBuffer>>,
    signal: AbortSignal,
  ): Promise<void> {
    const gzip: ReadableStream<Uint8Array> = tar.pipeThrough(new CompressionStream("gzip"), {
      signal,
    });
    if (this.#session === undefined) await gzip.pipeTo(this.#sink(), { signal });
    else await this.#consumeSealed(gzip, this.#session, signal);
  }

  async #consumeSealed(
    gzip: ReadableStream<Uint8Array>,
    session: Session,
    signal: AbortSignal,
  ): Promise<void> {
    let total = 0;
    const sealed = transformed(gzip, async function* (reader) {
      const bytes = new ByteReader(reader);
      // The size is known at the end: the header is written again then.
      yield encodeHeader(session.ephemeralPoint, 0);
      while (true) {
        const part = await bytes.read(CHUNK_BYTES);
        if (part.length > 0) yield await sealChunk(session, part);
        total += part.length;
        if (part.length < CHUNK_BYTES) return;
      }
    });
    await sealed.pipeTo(this.#sink(), { signal });
    await this.#file.overwriteStart(encodeHeader(session.ephemeralPoint, total));
  }

  #sink(): WritableStream<Uint8Array> {
    return new WritableStream({ write: (chunk) => this.#file.write(chunk) });
  }

  /** Makes what was written durable. */
  async finish(): Promise<void> {
    await this.#file.finish();
  }

  /**
   * The gzip bytes, read from the file. An encrypted archive can be read here, and here alone
   * without the private key: the session's key is still known.
   */
  async readAgain(): Promise<ReadableStream<Uint8Array>> {
    const bytes = await fileInput(this.#file.path).open();
    const session = this.#session;
    return session === undefined ? bytes : decryptWith(bytes, () => Promise.resolve(session));
  }
}
