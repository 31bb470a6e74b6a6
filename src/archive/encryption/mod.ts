/**
 * Encryption of archives: the envelope that OpsMill's tools read, P-256 keys and their files, and how
 * an encrypted file is told from a plain one. Knows nothing of tar; whoever packs or reads an archive
 * hands its bytes over as a stream.
 *
 * @module
 */

export { beginSession, type Session } from "./_envelope.ts";
export { decrypt, decryptWith, encryptWith } from "./encryption.ts";
export * from "./key_files.ts";
export * from "./keys.ts";
export { openGzip } from "./open_gzip.ts";
