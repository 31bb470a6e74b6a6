import { beginSession, encryptWith } from "../../../../src/archive/encryption/mod.ts";
import { readAll, streamOf } from "../_support.ts";

/** The whole encrypted file of these bytes, its header with their size. */
export async function encrypted(plaintext: Uint8Array, recipient: CryptoKey): Promise<Uint8Array> {
  const { ciphertext, header } = encryptWith(streamOf(plaintext), await beginSession(recipient));
  const file = await readAll(ciphertext);
  file.set(header());
  return file;
}
