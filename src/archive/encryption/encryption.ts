import { ByteReader, transformed } from "../io/mod.ts";
import {
  CHUNK_BYTES,
  CHUNK_HEADER_BYTES,
  decodeHeader,
  encodeHeader,
  failed,
  type Header,
  HEADER_BYTES,
  IV_BYTES,
  openChunk,
  resumeSession,
  sealChunk,
  type Session,
  TAG_BYTES,
} from "./_envelope.ts";

/** Largest plaintext of a chunk that is decrypted: sixteen times what writers make. */
const MAX_CHUNK_BYTES = 64 * 1024 * 1024;

/** A stream that is being encrypted. */
export interface EncryptedStream {
  /** Header and chunks; the sizes in the header are 0. */
  readonly ciphertext: ReadableStream<Uint8Array>;
  /**
   * The header with the sizes of what has been read so far. It has the length of the first one, and
   * takes its place when `ciphertext` has been read to its end: sizes are known last.
   */
  header(): Uint8Array;
}

/**
 * Encrypts a stream for the holder of a key: P-256 ECDH, HKDF-SHA-256, AES-256-GCM in chunks of
 * 4 MiB, in the envelope that the Go tool and `opsmill-upload` call version 2.
 *
 * @param session of `beginSession`; its key serves one stream
 */
export function encryptWith(
  plaintext: ReadableStream<Uint8Array>,
  session: Session,
): EncryptedStream {
  let total = 0;
  const ciphertext = transformed(plaintext, async function* (reader) {
    const bytes = new ByteReader(reader);
    yield encodeHeader(session.ephemeralPoint, 0);
    while (true) {
      const part = await bytes.read(CHUNK_BYTES);
      if (part.length > 0) yield await sealChunk(session, part);
      total += part.length;
      if (part.length < CHUNK_BYTES) return;
    }
  });
  return { ciphertext, header: () => encodeHeader(session.ephemeralPoint, total) };
}

/**
 * Decrypts a stream of {@linkcode encryptWith} or the Go tool.
 *
 * Every chunk is authenticated before its bytes come out, but the format does not authenticate the
 * header and the order of chunks; a size other than the header's is an error here (the Go tool only
 * warns), and so are bytes after the last chunk. Who uses the bytes must wait for the end, and check
 * what is inside: gzip and the archive's checksums tell an exchange of chunks.
 *
 * The result errors with a {@linkcode DecryptionError}.
 *
 * @param privateKey of `loadPrivateKey` or `parsePrivateKey`
 */
export function decrypt(
  ciphertext: ReadableStream<Uint8Array>,
  privateKey: CryptoKey,
): ReadableStream<Uint8Array> {
  return decryptWith(ciphertext, (header) => resumeSession(header, privateKey));
}

/** Decrypts with a session found otherwise than by a private key. */
export function decryptWith(
  ciphertext: ReadableStream<Uint8Array>,
  findSession: (header: Header) => Promise<Session>,
): ReadableStream<Uint8Array> {
  return transformed(
    ciphertext,
    (reader) => decryptParts(new ByteReader(reader), findSession),
  );
}

async function* decryptParts(
  ciphertext: ByteReader,
  findSession: (header: Header) => Promise<Session>,
): AsyncGenerator<Uint8Array> {
  const header = decodeHeader(await ciphertext.read(HEADER_BYTES));
  const session = await findSession(header);
  let total = 0n;
  for (let index = 0n; index < header.chunks; index++) {
    const plaintext = await decryptChunk(ciphertext, session, header, index);
    total += BigInt(plaintext.length);
    yield plaintext;
  }
  if (total !== header.plaintextBytes) {
    throw failed(`Size mismatch: expected ${header.plaintextBytes} bytes, got ${total} bytes`);
  }
  if ((await ciphertext.read(1)).length > 0) throw failed("unexpected data after the last chunk");
}

async function decryptChunk(
  reader: ByteReader,
  session: Session,
  header: Header,
  index: bigint,
): Promise<Uint8Array> {
  const chunkHeader = await reader.read(CHUNK_HEADER_BYTES);
  if (chunkHeader.length < CHUNK_HEADER_BYTES) {
    throw failed(`failed to read chunk ${index} header: unexpected end of file`);
  }
  const length = new DataView(chunkHeader.buffer, chunkHeader.byteOffset).getUint32(IV_BYTES);
  // Bounded before anything is allocated: the field allows 4 GiB.
  const limit = Math.min(header.chunkBytes, MAX_CHUNK_BYTES) + TAG_BYTES;
  if (length <= TAG_BYTES || length > limit) {
    throw failed(
      `failed to read chunk ${index} ciphertext: length ${length} is not between ` +
        `${TAG_BYTES + 1} and ${limit}`,
    );
  }
  const ciphertext = await reader.read(length);
  if (ciphertext.length < length) {
    throw failed(`failed to read chunk ${index} ciphertext: unexpected end of file`);
  }
  try {
    return await openChunk(session, chunkHeader.subarray(0, IV_BYTES), ciphertext);
  } catch (error) {
    throw failed(
      `decryption failed at chunk ${index}/${header.chunks}: message authentication failed ` +
        `(wrong key or corrupted data)`,
      error,
    );
  }
}
