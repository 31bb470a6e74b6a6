import { Kernels } from "../../kernels/mod.ts";
import { EncryptedRepositoryError, RepositoryExistsError, StoreError } from "../errors.ts";
import { defaultConfiguration, encodeConfigurationFile, uuidFromString } from "../format/mod.ts";
import { assertLongEnough, newEncryption, verifyConfiguration } from "../key/mod.ts";
import type { Store } from "../store/mod.ts";
import { assemble, type EngineOptions } from "./_assemble.ts";
import { readConfiguration } from "./_configuration_file.ts";
import type { Repository } from "./repository.ts";

const NS_PER_MS = 1_000_000n;

/** How a repository is created. */
export interface CreateOptions extends EngineOptions {
  /**
   * Whether only who knows the passphrase can read it. Cannot be changed later.
   *
   * @default {false}
   */
  readonly encrypt?: boolean;
}

/**
 * Creates a repository where there is nothing yet, with the settings of plakar 1.1, and opens it.
 *
 * @throws {RepositoryExistsError} there is one, or somebody else creates one at the same time
 * @throws {StoreError} there is something else at the location, or it cannot be written
 * @throws {EncryptedRepositoryError} it is to be encrypted, and there is no passphrase
 * @throws {WeakPassphraseError} the passphrase is too short
 *
 * @example A repository in a new directory
 * ```ts
 * import { createRepository, openStore } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = `${await Deno.makeTempDir()}/backups`;
 * await using repository = await createRepository(openStore(directory));
 * assertEquals(repository.location, `fs://${directory}`);
 * ```
 */
export async function createRepository(
  store: Store,
  options: CreateOptions = {},
): Promise<Repository> {
  const presence = await store.presence();
  if (presence !== "absent") {
    const Problem = presence === "repository" ? RepositoryExistsError : StoreError;
    throw new Problem(`Cannot create repository "${store.location}": the location is not empty`);
  }
  const kernels = await Kernels.load();
  const timestampNs = BigInt((options.now ?? Date.now)()) * NS_PER_MS;
  const plain = defaultConfiguration(uuidFromString(crypto.randomUUID()), timestampNs);
  const encryption = options.encrypt ? await encryptionFor(store, kernels, options) : undefined;
  const configuration = { ...plain, encryption: encryption?.configuration };
  await store.create(
    encodeConfigurationFile(configuration, (bytes) => kernels.blake3(bytes, encryption?.unit.key)),
  );
  // What was written is what is worked with.
  const read = await readConfiguration(store, kernels);
  if (encryption !== undefined) {
    await verifyConfiguration(read, encryption.configuration, encryption.unit, { store, kernels });
  }
  return await assemble(store, kernels, read.configuration, options, encryption?.unit);
}

async function encryptionFor(store: Store, kernels: Kernels, options: CreateOptions) {
  const passphrase = await options.passphrase?.("create");
  if (passphrase === undefined) {
    throw new EncryptedRepositoryError(
      `Cannot create repository "${store.location}": no passphrase was given`,
    );
  }
  try {
    assertLongEnough(passphrase);
    return await newEncryption(kernels, passphrase, { signal: options.signal });
  } finally {
    passphrase.fill(0);
  }
}
