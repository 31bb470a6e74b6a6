import { Kernels } from "../../kernels/mod.ts";
import { failedToOpen, NotARepositoryError, RepositoryNotFoundError } from "../errors.ts";
import { unlock } from "../key/mod.ts";
import type { Store } from "../store/mod.ts";
import { assemble, type EngineOptions } from "./_assemble.ts";
import { readConfiguration } from "./_configuration_file.ts";
import type { Repository } from "./repository.ts";

/**
 * Opens a repository. Changes nothing in it.
 *
 * @throws {RepositoryNotFoundError} there is nothing at the location
 * @throws {NotARepositoryError} there is something else
 * @throws {UnsupportedVersionError} it has a version, a compression or a hash of another kind
 * @throws {EncryptedRepositoryError} it is encrypted, and there is no passphrase
 * @throws {WrongPassphraseError} the passphrase is not this repository's
 * @throws {CorruptionError} its CONFIG is damaged
 * @throws {StoreError} it cannot be read
 *
 * @example List what a repository holds
 * ```ts
 * import { createRepository, openRepository, openStore } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * await (await createRepository(openStore(directory))).close();
 *
 * await using repository = await openRepository(openStore(directory), { jobs: 2 });
 * assertEquals((await repository.snapshots()).headers, []);
 * ```
 */
export async function openRepository(
  store: Store,
  options: EngineOptions = {},
): Promise<Repository> {
  switch (await store.presence()) {
    case "absent":
      throw new RepositoryNotFoundError(`${failedToOpen(store)}: there is none`);
    case "foreign":
      throw new NotARepositoryError(
        `${failedToOpen(store)}: the directory is not empty, but holds no CONFIG`,
      );
    case "repository":
  }
  const kernels = await Kernels.load();
  const read = await readConfiguration(store, kernels);
  const { configuration, encryption } = await unlock(read, {
    store,
    kernels,
    passphrase: options.passphrase,
    signal: options.signal,
    reread: () => readConfiguration(store, kernels),
  });
  return await assemble(store, kernels, configuration, options, encryption);
}
