/**
 * Encryption of repositories (format reference, section 4.4): everything but CONFIG is stored in
 * **units**, each encrypted with a key of its own; the repository's **key**, which comes from a
 * passphrase, wraps these, and is the key of all MACs.
 *
 * @module
 */

export {
  newEncryption,
  type NewEncryptionOptions,
  opensCanary,
  repositoryEncryption,
} from "./repository_key.ts";
export {
  DecryptionError,
  decryptUnit,
  encryptionOverhead,
  encryptUnit,
  type UnitEncryption,
} from "./unit.ts";
