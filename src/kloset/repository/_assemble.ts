import { createHash } from "node:crypto";
import type { Kernels } from "../../kernels/mod.ts";
import type { UnitEncryption } from "../encryption/mod.ts";
import { startMachinery } from "../engine.ts";
import { type Configuration, uuidToString } from "../format/mod.ts";
import { IndexCache } from "../index/mod.ts";
import type { PassphraseProvider } from "../key/mod.ts";
import { BlobReader } from "../packfile/mod.ts";
import { MAXIMUM_WRITTEN_CHUNK_BYTES } from "../snapshot/mod.ts";
import { Catalog } from "../state/mod.ts";
import type { Store } from "../store/mod.ts";
import { Codec, compressionAlgorithm, hashAlgorithm, MacFunction } from "../unit/mod.ts";
import type { MacParameters } from "../workers/mod.ts";
import { Repository } from "./repository.ts";

/** How a repository is worked with. */
export interface EngineOptions {
  /**
   * Threads that hash and encode, at least 1.
   *
   * @default the number of processors
   */
  readonly jobs?: number;
  /**
   * Where the index is kept between runs.
   *
   * @default nowhere
   */
  readonly cacheDirectory?: string;
  /**
   * Whether the cache's file is opened at once and kept open, by a process that gives up the right to
   * write.
   *
   * @default {false}
   */
  readonly holdsCache?: boolean;
  /** Told what a user should know but need not act on: a cache that cannot be used, for example. */
  readonly onWarning?: (message: string) => void;
  readonly signal?: AbortSignal;
  /** Gives the passphrase of an encrypted repository. */
  readonly passphrase?: PassphraseProvider;
  /**
   * Written into locks and snapshots.
   *
   * @default the host's name
   */
  readonly hostname?: string;
  /**
   * The time in milliseconds since 1970.
   *
   * @default Date.now
   */
  readonly now?: () => number;
}

/**
 * Opens a repository whose CONFIG is known and can be relied on: merges its states and starts the
 * machinery.
 *
 * @param encryption undefined: it is not encrypted
 */
export async function assemble(
  store: Store,
  kernels: Kernels,
  configuration: Configuration,
  options: EngineOptions,
  encryption: UnitEncryption | undefined,
): Promise<Repository> {
  const encoding = { compression: compressionAlgorithm(configuration, store), encryption };
  const mac = new MacFunction(kernels, macParameters(configuration, kernels, store, encryption));
  const codec = new Codec(kernels, encoding);
  const onWarning = options.onWarning ?? (() => {});
  const cache = options.cacheDirectory === undefined ? undefined : new IndexCache({
    directory: options.cacheDirectory,
    repositoryId: uuidToString(configuration.repositoryId),
    location: store.location,
    mac: mac.of,
    onWarning,
  });
  const catalog = await Catalog.open({ store, codec, mac, cache });
  if (options.holdsCache) cache?.hold();
  for (const { error } of catalog.states.damaged) onWarning(error.message);
  return new Repository({
    ...startMachinery(
      kernels,
      options.jobs ?? navigator.hardwareConcurrency,
      Math.min(configuration.chunking.maxSize, MAXIMUM_WRITTEN_CHUNK_BYTES),
    ),
    store,
    configuration,
    codec,
    mac,
    catalog,
    blobs: new BlobReader({ store, codec, mac, catalog, onWarning }),
    hostname: options.hostname ?? Deno.hostname(),
    onWarning,
    now: options.now ?? Date.now,
  });
}

/** In a plaintext repository the key is a hash of the repository's id (format reference, 5). */
function macParameters(
  configuration: Configuration,
  kernels: Kernels,
  store: Store,
  encryption: UnitEncryption | undefined,
): MacParameters {
  const algorithm = hashAlgorithm(configuration, store);
  if (encryption !== undefined) return { algorithm, key: encryption.key };
  const { repositoryId } = configuration;
  const key = algorithm === "BLAKE3"
    ? kernels.blake3(repositoryId)
    : new Uint8Array(createHash("sha256").update(repositoryId).digest());
  return { algorithm, key };
}
