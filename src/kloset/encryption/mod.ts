/**
 * Encryption of repositories (format reference, section 4.4): everything but CONFIG is stored in
 * **units**, each encrypted with a key of its own, which the repository's key wraps.
 *
 * Without what makes that key of a passphrase (`../key`): threads load this.
 *
 * @module
 */

export { AES_KEY_BYTES } from "./_aes.ts";
export {
  DecryptionError,
  decryptUnit,
  encryptionOverhead,
  encryptUnit,
  type UnitEncryption,
} from "./unit.ts";
