import { problemOf } from "../../errors/mod.ts";
import { exportPoint, generatePair, importPublicKey, POINT_BYTES, sharedSecret } from "./_p256.ts";
import { DecryptionError } from "../errors.ts";

/**
 * The header, all integers big-endian:
 *
 * | offset | size | content |
 * | --- | --- | --- |
 * | 0 | 1 | version |
 * | 1 | 65 | ephemeral public key, uncompressed point |
 * | 66 | 4 | bytes of plaintext per chunk |
 * | 70 | 8 | bytes of plaintext |
 * | 78 | 8 | number of chunks |
 *
 * Then the chunks: 12 bytes IV, 4 bytes length of the ciphertext, ciphertext with its 16-byte tag.
 */
export const HEADER_BYTES = 86;
export const VERSION = 0x02;
export const IV_BYTES = 12;
export const CHUNK_HEADER_BYTES = IV_BYTES + 4;
export const TAG_BYTES = 16;
/** Plaintext in each chunk but the last. */
export const CHUNK_BYTES = 4 * 1024 * 1024;

/** The key of one file, and the public key from which its reader derives it. */
export interface Session {
  readonly ephemeralPoint: Uint8Array;
  /** AES-256-GCM. */
  readonly key: CryptoKey;
}

/** What a header says. */
export interface Header {
  readonly ephemeralPoint: Uint8Array;
  /** As the writer intended; told, not trusted. */
  readonly chunkBytes: number;
  readonly plaintextBytes: bigint;
  readonly chunks: bigint;
}

/** Makes the key for a new file. */
export async function beginSession(recipient: CryptoKey): Promise<Session> {
  const ephemeral = await generatePair();
  return {
    ephemeralPoint: await exportPoint(ephemeral.publicKey),
    key: await deriveKey(ephemeral.privateKey, recipient),
  };
}

/**
 * Derives the key of an existing file.
 *
 * @throws {DecryptionError} when the header holds no point of the curve
 */
export async function resumeSession(header: Header, privateKey: CryptoKey): Promise<Session> {
  let ephemeral: CryptoKey;
  try {
    ephemeral = await importPublicKey(header.ephemeralPoint);
  } catch (error) {
    throw failed(`invalid ephemeral public key in header: ${problemOf(error)}`, error);
  }
  try {
    return {
      ephemeralPoint: header.ephemeralPoint,
      key: await deriveKey(privateKey, ephemeral),
    };
  } catch (error) {
    throw failed(`ECDH key exchange failed: ${problemOf(error)}`, error);
  }
}

async function deriveKey(privateKey: CryptoKey, publicKey: CryptoKey): Promise<CryptoKey> {
  const secret = await sharedSecret(privateKey, publicKey);
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  return await crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(32),
      info: new TextEncoder().encode("opsmill-upload-ecies"),
    },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

/** Encodes the header of a file of so many bytes. */
export function encodeHeader(ephemeralPoint: Uint8Array, plaintextBytes: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header[0] = VERSION;
  header.set(ephemeralPoint, 1);
  const view = new DataView(header.buffer);
  view.setUint32(66, CHUNK_BYTES);
  view.setBigUint64(70, BigInt(plaintextBytes));
  view.setBigUint64(78, BigInt(Math.ceil(plaintextBytes / CHUNK_BYTES)));
  return header;
}

/** @throws {DecryptionError} when it is short or of another version */
export function decodeHeader(bytes: Uint8Array): Header {
  const [version] = bytes;
  if (bytes.length < HEADER_BYTES || version === undefined) {
    throw failed("failed to read header: unexpected end of file");
  }
  if (version !== VERSION) {
    const hex = version.toString(16).padStart(2, "0");
    throw failed(`unsupported encryption version: 0x${hex} (expected 0x02)`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    ephemeralPoint: bytes.slice(1, 1 + POINT_BYTES),
    chunkBytes: view.getUint32(66),
    plaintextBytes: view.getBigUint64(70),
    chunks: view.getBigUint64(78),
  };
}

/** Encrypts one chunk, header included. */
export async function sealChunk(
  session: Session,
  plaintext: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const ciphertext = new Uint8Array(
    await crypto.subtle.encrypt(
      { name: "AES-GCM", iv },
      session.key,
      plaintext,
    ),
  );
  const chunk = new Uint8Array(CHUNK_HEADER_BYTES + ciphertext.length);
  chunk.set(iv);
  new DataView(chunk.buffer).setUint32(IV_BYTES, ciphertext.length);
  chunk.set(ciphertext, CHUNK_HEADER_BYTES);
  return chunk;
}

/** Decrypts one chunk; rejects when the tag does not fit. */
export async function openChunk(
  session: Session,
  iv: Uint8Array<ArrayBuffer>,
  ciphertext: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const parameters = { name: "AES-GCM", iv };
  return new Uint8Array(await crypto.subtle.decrypt(parameters, session.key, ciphertext));
}

/** The error of a file that cannot be decrypted. */
export function failed(problem: string, cause?: unknown): DecryptionError {
  return new DecryptionError(`failed to decrypt backup: ${problem}`, { cause });
}
