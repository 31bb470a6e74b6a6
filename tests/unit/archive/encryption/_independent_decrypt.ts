/**
 * Decrypts the envelope with node:crypto, from its description alone: shares no code with the
 * library under test.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from "node:crypto";

/** SubjectPublicKeyInfo of a P-256 key, up to its point. */
const SPKI = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

/** The plaintext, and what the header says about it. */
export function decryptIndependently(file: Uint8Array, privateKeyPem: string) {
  const bytes = Buffer.from(file);
  const publicKey = createPublicKey({
    key: Buffer.concat([Buffer.from(SPKI, "hex"), bytes.subarray(1, 66)]),
    format: "der",
    type: "spki",
  });
  const secret = diffieHellman({ privateKey: createPrivateKey(privateKeyPem), publicKey });
  const key = Buffer.from(
    hkdfSync("sha256", secret, Buffer.alloc(32), Buffer.from("opsmill-upload-ecies"), 32),
  );
  const count = Number(bytes.readBigUInt64BE(78));
  const parts: Buffer[] = [];
  let at = 86;
  for (let i = 0; i < count; i++) {
    const end = at + 16 + bytes.readUInt32BE(at + 12);
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(at, at + 12));
    decipher.setAuthTag(bytes.subarray(end - 16, end));
    parts.push(decipher.update(bytes.subarray(at + 16, end - 16)), decipher.final());
    at = end;
  }
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes after the last chunk`);
  return {
    version: bytes[0],
    chunkBytes: bytes.readUInt32BE(66),
    plaintextBytes: Number(bytes.readBigUInt64BE(70)),
    chunks: count,
    plaintext: new Uint8Array(Buffer.concat(parts)),
  };
}
