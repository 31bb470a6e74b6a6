import type { Kernels } from "../../kernels/mod.ts";
import type { UnitEncryption } from "../encryption/mod.ts";
import {
  CorruptionError,
  EncryptedRepositoryError,
  failedToOpen,
  ObjectNotFoundError,
  UnsupportedVersionError,
  WrongPassphraseError,
} from "../errors.ts";
import {
  type Configuration,
  type Encryption,
  FormatError,
  macsEqual,
  openEnvelope,
  ResourceType,
  verifyEnvelope,
  VERSION_1_1_0,
} from "../format/mod.ts";
import { opensCanary, repositoryEncryption } from "./repository_key.ts";
import { hashAlgorithm, MacFunction } from "../unit/mod.ts";
import type { PassphraseProvider } from "./passphrase.ts";
import type { Store } from "../store/mod.ts";

/** States that are looked at to tell a wrong passphrase from a damaged CONFIG. */
const WITNESSES = 3;

/** A CONFIG file as it was read, and what it says. */
export interface ReadConfiguration {
  readonly bytes: Uint8Array;
  readonly configuration: Configuration;
}

/** Where a repository is, and who is asked for its passphrase. */
export interface UnlockOptions {
  readonly store: Store;
  readonly kernels: Kernels;
  /** Asked when it is needed. */
  readonly passphrase: PassphraseProvider | undefined;
  readonly signal: AbortSignal | undefined;
  /** Reads CONFIG once more. */
  readonly reread: () => Promise<ReadConfiguration>;
}

/** A CONFIG that can be relied on, and the encryption that it asks for. */
export interface Unlocked {
  readonly configuration: Configuration;
  readonly encryption: UnitEncryption | undefined;
}

/**
 * Makes the key of a repository from its passphrase, if it is encrypted, and authenticates CONFIG
 * with it.
 *
 * A passphrase is wrong when nothing in the repository was made with the key that it gives. Damage
 * to the salt looks the same: nothing but the passphrase and the salt together tell a right key.
 *
 * @throws {EncryptedRepositoryError} there is no passphrase
 * @throws {WrongPassphraseError} the passphrase is not this repository's
 * @throws {UnsupportedVersionError} it is encrypted in a way that this engine does not know
 * @throws {CorruptionError} CONFIG is damaged
 */
export async function unlock(read: ReadConfiguration, options: UnlockOptions): Promise<Unlocked> {
  const { configuration } = read;
  if (configuration.encryption === undefined) return { configuration, encryption: undefined };
  const passphrase = await options.passphrase?.("open");
  if (passphrase === undefined) {
    throw new EncryptedRepositoryError(
      `${failedToOpen(options.store)}: it is encrypted, and no passphrase was given`,
    );
  }
  try {
    return await unlockBy(passphrase, configuration.encryption, read, options);
  } catch (error) {
    if (!FAILURES.some((type) => error instanceof type)) throw error;
    // A flipped bit on the way is not yet a flipped bit in the repository.
    const again = await options.reread();
    const { encryption } = again.configuration;
    if (encryption === undefined || macsEqual(again.bytes, read.bytes)) throw error;
    return await unlockBy(passphrase, encryption, again, options);
  } finally {
    passphrase.fill(0);
  }
}

/** What a damaged CONFIG can look like. */
const FAILURES = [CorruptionError, UnsupportedVersionError, WrongPassphraseError] as const;

async function unlockBy(
  passphrase: Uint8Array,
  encryption: Encryption,
  read: ReadConfiguration,
  options: UnlockOptions,
): Promise<Unlocked> {
  const { store, signal } = options;
  let unit: UnitEncryption;
  try {
    unit = await repositoryEncryption(passphrase, encryption, signal);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.reason !== "version") throw damagedConfiguration(store, error.message, error);
    throw new UnsupportedVersionError(`${failedToOpen(store)}: ${error.message}`, { cause: error });
  }
  await verifyConfiguration(read, encryption, unit, options);
  return { configuration: read.configuration, encryption: unit };
}

/**
 * Authenticates the CONFIG of an encrypted repository.
 *
 * @throws {WrongPassphraseError} nothing was made with this key
 * @throws {CorruptionError} CONFIG is damaged
 */
export async function verifyConfiguration(
  { bytes, configuration }: ReadConfiguration,
  encryption: Encryption,
  unit: UnitEncryption,
  { store, kernels }: Pick<UnlockOptions, "store" | "kernels">,
): Promise<void> {
  const isRight = opensCanary(kernels, unit, encryption);
  // CONFIG is always hashed with BLAKE3, whatever the rest of the repository is hashed with.
  const isIntact = verifies(() => verifyEnvelope(bytes, (all) => kernels.blake3(all, unit.key)));
  if (isRight && isIntact) return;
  if (isRight) throw damagedConfiguration(store, "the footer does not match the content");
  if (isIntact || await vouchesForKey(store, kernels, configuration, unit)) {
    throw damagedConfiguration(store, "the canary does not decrypt");
  }
  throw new WrongPassphraseError(`${failedToOpen(store)}: the passphrase is wrong`);
}

/** Whether any state was made with this key. */
async function vouchesForKey(
  store: Store,
  kernels: Kernels,
  configuration: Configuration,
  unit: UnitEncryption,
): Promise<boolean> {
  const mac = new MacFunction(kernels, {
    algorithm: hashAlgorithm(configuration, store),
    key: unit.key,
  });
  for (const id of (await store.list("state")).slice(0, WITNESSES)) {
    try {
      const state = await store.readAll("state", id);
      if (verifies(() => openEnvelope(state, ResourceType.STATE, VERSION_1_1_0, mac.of))) {
        return true;
      }
    } catch (error) {
      // Deleted since it was listed.
      if (!(error instanceof ObjectNotFoundError)) throw error;
    }
  }
  return false;
}

function verifies(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

function damagedConfiguration(store: Store, problem: string, cause?: Error): CorruptionError {
  return new CorruptionError(`${failedToOpen(store)}: CONFIG is damaged: ${problem}`, {}, {
    cause,
  });
}
