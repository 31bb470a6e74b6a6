/**
 * Encryption of archives: the envelope that OpsMill's tools read, P-256 keys and their files. Knows
 * nothing of tar; whoever packs or reads an archive hands its bytes over as a stream.
 *
 * @module
 */

export { beginSession, CHUNK_BYTES, encodeHeader, sealChunk, type Session } from "./_envelope.ts";
export { decrypt, decryptWith, encrypt, encryptedSize } from "./encryption.ts";
export * from "./key_files.ts";
export * from "./keys.ts";
