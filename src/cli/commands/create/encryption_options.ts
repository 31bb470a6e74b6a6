import { BUILT_IN_PUBLIC_KEY, loadPublicKey, parsePublicKey } from "../../../archive/mod.ts";
import { environmentOption, UsageError } from "../../syntax/mod.ts";
import type { Session } from "../../session/mod.ts";

/** Values of the options below. */
export interface EncryptionChoice {
  readonly encrypt?: true | undefined;
  readonly encryptKey?: string | undefined;
}

/** `--encrypt`. */
export function encryptOption() {
  return environmentOption(
    "--encrypt",
    "encrypt: a new repository with a passphrase; an archive for OpsMill, who alone can read it",
  );
}

/** `--encrypt-key`. */
export function encryptKeyOption() {
  return environmentOption(
    "--encrypt-key <file>",
    `public key to encrypt the archive for, made with "keygen"; implies --encrypt`,
  );
}

/**
 * Whether a repository has to be encrypted.
 *
 * @throws {UsageError} it should be for a public key
 */
export function wantsEncryptedRepository({ encrypt, encryptKey }: EncryptionChoice): boolean {
  if (encryptKey) {
    throw new UsageError(
      "--encrypt-key cannot be used with plakar backend: " +
        "a repository is encrypted with a passphrase, by --encrypt alone",
    );
  }
  return encrypt ?? false;
}

/**
 * The key that an archive is encrypted for; undefined when it is not to be encrypted.
 *
 * @throws {InvalidKeyError} when the key cannot be used
 */
export async function recipientOf(
  { encrypt, encryptKey }: EncryptionChoice,
  { reporter }: Session,
): Promise<CryptoKey | undefined> {
  if (encryptKey) return await loadPublicKey(encryptKey);
  if (!encrypt) return undefined;
  reporter.warn(
    "ENCRYPTING FOR OPSMILL: the archive can be decrypted by OpsMill only, and NOT BY YOU. " +
      `For a backup that you can restore yourself, make a key with "keygen" and use --encrypt-key`,
  );
  return await parsePublicKey(BUILT_IN_PUBLIC_KEY);
}
