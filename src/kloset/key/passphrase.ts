import { WeakPassphraseError } from "../errors.ts";

/** The fewest characters that the passphrase of a new repository may have. */
export const MINIMUM_PASSPHRASE_CHARACTERS = 12;

/**
 * Gives the passphrase of a repository as UTF-8, in an array that is wiped after use; undefined when
 * there is none. Asked only when one is needed: to `open` an encrypted repository, or to `create`
 * one.
 */
export type PassphraseProvider = (
  purpose: "open" | "create",
) => Promise<Uint8Array | undefined>;

/**
 * Refuses a passphrase that is too short to protect a new repository.
 *
 * @param passphrase UTF-8
 * @throws {WeakPassphraseError} it is
 */
export function assertLongEnough(passphrase: Uint8Array): void {
  let characters = 0;
  // Every byte but the continuation bytes begins a character. No string is made of a secret.
  for (const byte of passphrase) if ((byte & 0xc0) !== 0x80) characters++;
  if (characters < MINIMUM_PASSPHRASE_CHARACTERS) {
    throw new WeakPassphraseError(
      `The passphrase is too short: a new repository needs at least ` +
        `${MINIMUM_PASSPHRASE_CHARACTERS} characters`,
    );
  }
}
