/**
 * The **key** of an encrypted repository (format reference, section 4.4): it comes from a passphrase,
 * wraps the keys of the units (`../encryption`), and is the key of all MACs. Here are the passphrase's
 * rules, the derivation, the settings of a new repository, and unlocking, which authenticates CONFIG.
 * No key and no passphrase is kept anywhere but in memory, and none is in a message.
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
  assertLongEnough,
  MINIMUM_PASSPHRASE_CHARACTERS,
  type PassphraseProvider,
} from "./passphrase.ts";
export { type ReadConfiguration, unlock, verifyConfiguration } from "./unlock.ts";
