import { decryptWith, encryptWith, type Session } from "./encryption/mod.ts";
import { fileInput, type TemporaryFile } from "./io/mod.ts";

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
    else await this.#encrypt(gzip, this.#session, signal);
  }

  async #encrypt(
    gzip: ReadableStream<Uint8Array>,
    session: Session,
    signal: AbortSignal,
  ): Promise<void> {
    const { ciphertext, header } = encryptWith(gzip, session);
    await ciphertext.pipeTo(this.#sink(), { signal });
    await this.#file.overwriteStart(header());
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
