import { createHash } from "node:crypto";
import { CutScanner, Kernels } from "../kernels/mod.ts";
import { BlobReader, filePosition, verifyPackfile } from "./packfile/mod.ts";
import { Catalog, type DamagedState } from "./state/mod.ts";
import { Codec, MacFunction, rereadOnDamage } from "./unit/mod.ts";
import { type Engine, startMachinery } from "./engine.ts";
import {
  AmbiguousSnapshotIdError,
  CorruptionError,
  EncryptedRepositoryError,
  InvalidSnapshotIdError,
  NotARepositoryError,
  RepositoryNotFoundError,
  SnapshotNotFoundError,
  StoreError,
  UnsupportedVersionError,
} from "./errors.ts";
import {
  type Configuration,
  decodeConfigurationFile,
  decodeHeader,
  defaultConfiguration,
  encodeConfigurationFile,
  FormatError,
  type Header,
  type Mac,
  macFromHex,
  macsEqual,
  macToHex,
  ResourceType,
  uuidFromString,
  uuidToString,
} from "./format/mod.ts";
import { IndexCache } from "./index/mod.ts";
import {
  assertLongEnough,
  failedToOpen,
  hashAlgorithm,
  newEncryption,
  type PassphraseProvider,
  type ReadConfiguration,
  unlock,
  verifyConfiguration,
} from "./key/mod.ts";
import {
  decodeCachedHeader,
  encodeCachedHeader,
  type SnapshotHeader,
  snapshotHeaderOf,
  type SnapshotOptions,
  SnapshotReader,
  SnapshotWriter,
} from "./snapshot/mod.ts";
import type { Store } from "./store/mod.ts";
import type { Compression, Encoding, MacParameters } from "./workers/mod.ts";

const NS_PER_MS = 1_000_000n;

/** Greatest chunk size that a CONFIG may ask writers for. */
const MAXIMUM_CHUNK_BYTES = 64 * 1024 * 1024;

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

/** How a repository is created. */
export interface CreateOptions extends EngineOptions {
  /**
   * Whether only who knows the passphrase can read it. Cannot be changed later.
   *
   * @default {false}
   */
  readonly encrypt?: boolean;
}

/** A snapshot whose header cannot be read. */
export interface UnreadableSnapshot {
  /** 64 hex digits. */
  readonly id: string;
  readonly error: Error;
}

/**
 * An open repository. {@linkcode close} it, or declare it with `await using`: threads end with it.
 *
 * @example Back up a stream and read it back
 * ```ts
 * import { createRepository, openStore } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * await using repository = await createRepository(openStore(directory));
 * const writer = await repository.createSnapshot({
 *   name: "greeting",
 *   importer: { type: "example", origin: "here", directory: "/" },
 * });
 * try {
 *   await writer.addFile("/hello.txt", new Blob(["hello world"]).stream());
 *   await writer.commit();
 * } finally {
 *   await writer.abort(); // without effect after a commit
 * }
 *
 * const reader = await repository.openSnapshot(writer.id);
 * assertEquals(await new Response(reader.read("/hello.txt")).text(), "hello world");
 * assertEquals(await reader.check(), []);
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class Repository implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #cache: IndexCache | undefined;

  /** Use {@linkcode openRepository} or {@linkcode createRepository}. */
  constructor(engine: Engine, cache: IndexCache | undefined) {
    this.#engine = engine;
    this.#cache = cache;
  }

  /** The repository's UUID. */
  get id(): string {
    return uuidToString(this.#engine.configuration.repositoryId);
  }

  /** Where it is, for messages. */
  get location(): string {
    return this.#engine.store.location;
  }

  /** Whether only who knows its passphrase can read it. */
  get isEncrypted(): boolean {
    return this.#engine.codec.encoding.encryption !== undefined;
  }

  /** What its CONFIG says. */
  get configuration(): Configuration {
    return this.#engine.configuration;
  }

  /** State files that are damaged: snapshots may be missing from the list because of them. */
  get damagedStates(): readonly DamagedState[] {
    return this.#engine.catalog.states.damaged;
  }

  /**
   * All snapshots, oldest first, and those whose header cannot be read.
   *
   * @throws {StoreError} the store failed
   */
  async snapshots(): Promise<{ headers: SnapshotHeader[]; unreadable: UnreadableSnapshot[] }> {
    const { catalog } = this.#engine;
    const headers: SnapshotHeader[] = [];
    const unreadable: UnreadableSnapshot[] = [];
    const ids = catalog.index.snapshotIds();
    const cached = catalog.cachedHeaders(ids);
    for (const [i, id] of ids.entries()) {
      try {
        headers.push(await this.#headerFor(id, cached[i]));
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        unreadable.push({ id: macToHex(id), error });
      }
    }
    headers.sort((a, b) =>
      a.timestamp.getTime() - b.timestamp.getTime() || (a.identifier < b.identifier ? -1 : 1)
    );
    return { headers, unreadable };
  }

  /**
   * The full id of the one snapshot whose id starts with a prefix of any length.
   *
   * @throws {InvalidSnapshotIdError} the prefix is not hexadecimal
   * @throws {SnapshotNotFoundError} no snapshot matches
   * @throws {AmbiguousSnapshotIdError} several do
   */
  resolveSnapshotId(prefix: string): string {
    const wanted = prefix.toLowerCase();
    if (!/^[0-9a-f]+$/.test(wanted)) {
      throw new InvalidSnapshotIdError(`invalid snapshot ID "${prefix}": not valid hex`);
    }
    const ids = this.#engine.catalog.index.snapshotIds().map(macToHex);
    const matches = ids.filter((id) => id.startsWith(wanted));
    const [match] = matches;
    if (match === undefined) throw new SnapshotNotFoundError(`snapshot not found: ${prefix}`, ids);
    if (matches.length > 1) {
      throw new AmbiguousSnapshotIdError(
        `ambiguous snapshot ID "${prefix}": matches ${matches.length} snapshots; ` +
          "provide a longer prefix",
        matches.length,
      );
    }
    return match;
  }

  /**
   * Opens a snapshot by its full id; its header is authenticated.
   *
   * @throws {SnapshotNotFoundError} there is no such snapshot
   * @throws {CorruptionError} its header is damaged
   */
  async openSnapshot(id: string): Promise<SnapshotReader> {
    const mac = macFromHex(this.resolveSnapshotId(id));
    const { codec, blobs } = this.#engine;
    try {
      const location = await blobs.locate(ResourceType.SNAPSHOT, mac);
      const encoded = await verifyPackfile(macToHex(location.packfile), this.#engine, {
        part: { position: filePosition(location), length: location.length },
      });
      return new SnapshotReader(this.#engine, decodedHeader(mac, () => codec.decode(encoded)));
    } catch (error) {
      if (!(error instanceof CorruptionError) || error.context.snapshot !== undefined) throw error;
      throw damagedHeader(mac, error.message, error);
    }
  }

  /**
   * Opens a snapshot for reading what is left of it: where its header cannot be authenticated, it
   * is read all the same, so that {@linkcode SnapshotReader.check} can say what is damaged.
   *
   * @throws {SnapshotNotFoundError} there is no such snapshot
   * @throws {CorruptionError} its header cannot be read at all
   */
  async inspectSnapshot(id: string): Promise<SnapshotReader> {
    try {
      return await this.openSnapshot(id);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
    }
    const header = await this.#readHeader(macFromHex(this.resolveSnapshotId(id)));
    return new SnapshotReader(this.#engine, header);
  }

  /**
   * Starts writing a snapshot.
   *
   * @throws {LockedError} somebody holds an exclusive lock
   * @throws {CorruptionError} a state is damaged
   * @throws {UnsupportedVersionError} the repository asks for chunks that this engine cannot cut
   * @throws {StoreError} the store cannot be written
   */
  async createSnapshot(options: SnapshotOptions): Promise<SnapshotWriter> {
    assertWritable(this.#engine);
    return await SnapshotWriter.start(this.#engine, options);
  }

  /** Keeps the index for the next run and ends the threads. Idempotent. */
  // deno-lint-ignore require-await -- closing may wait in a later store; callers await it already
  async close(): Promise<void> {
    if (this.#cache !== undefined) this.#engine.catalog.save();
    this.#cache?.[Symbol.dispose]();
    this.#engine.pool.close();
  }

  /** The same as {@linkcode close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A header out of the cache if it is there, else out of the store and into the cache. */
  async #headerFor(id: Mac, cached: Uint8Array | undefined): Promise<SnapshotHeader> {
    const known = cached && decodeCachedHeader(cached);
    if (known !== undefined) return known;
    const header = snapshotHeaderOf(await this.#readHeader(id));
    this.#engine.catalog.cacheHeader(id, encodeCachedHeader(header));
    return header;
  }

  /** Reads a header that nothing vouches for. */
  #readHeader(id: Mac): Promise<Header> {
    return rereadOnDamage(async () => {
      const bytes = await this.#engine.blobs.read(ResourceType.SNAPSHOT, id);
      return decodedHeader(id, () => bytes);
    }, (problem) => new CorruptionError(problem, { snapshot: macToHex(id) }));
  }
}

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
      throw new RepositoryNotFoundError(
        `Cannot open repository "${store.location}": there is none`,
      );
    case "foreign":
      throw new NotARepositoryError(
        `Cannot open repository "${store.location}": the directory is not empty, ` +
          "but holds no CONFIG",
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
  return await assemble(store, kernels, configuration, options, {
    compression: compressionOf(configuration, store),
    encryption,
  });
}

/** Opens a repository whose CONFIG is known. */
async function assemble(
  store: Store,
  kernels: Kernels,
  configuration: Configuration,
  options: EngineOptions,
  encoding: Encoding,
): Promise<Repository> {
  const mac = new MacFunction(kernels, macParameters(configuration, kernels, store, encoding));
  const codec = new Codec(kernels, encoding);
  const onWarning = options.onWarning ?? (() => {});
  const cache = options.cacheDirectory === undefined ? undefined : new IndexCache({
    directory: options.cacheDirectory,
    repositoryId: uuidToString(configuration.repositoryId),
    mac: mac.of,
    onWarning,
  });
  const catalog = await Catalog.open({ store, codec, mac, cache });
  for (const { error } of catalog.states.damaged) onWarning(error.message);
  return new Repository({
    ...startMachinery(
      kernels,
      options.jobs ?? navigator.hardwareConcurrency,
      Math.min(configuration.chunking.maxSize, MAXIMUM_CHUNK_BYTES),
    ),
    store,
    configuration,
    codec,
    mac,
    catalog,
    blobs: new BlobReader(store, codec, mac, catalog),
    hostname: options.hostname ?? Deno.hostname(),
    onWarning,
    now: options.now ?? Date.now,
  }, cache);
}

/**
 * Creates a repository where there is nothing yet, with the settings of plakar 1.1, and opens it.
 *
 * @throws {StoreError} there is something at the location, or it cannot be written
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
  if ((await store.presence()) !== "absent") {
    throw new StoreError(
      `Cannot create repository "${store.location}": the location is not empty`,
    );
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
  return await assemble(store, kernels, read.configuration, options, {
    compression: compressionOf(read.configuration, store),
    encryption: encryption?.unit,
  });
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

async function readConfiguration(store: Store, kernels: Kernels): Promise<ReadConfiguration> {
  const failed = failedToOpen(store);
  const blake3 = (bytes: Uint8Array) => kernels.blake3(bytes);
  try {
    return await rereadOnDamage(
      async () => {
        const bytes = await store.readConfiguration();
        return { bytes, configuration: decodeConfigurationFile(bytes, blake3) };
      },
      (problem) => new CorruptionError(`${failed}: CONFIG is damaged: ${problem}`),
    );
  } catch (error) {
    if (error instanceof FormatError) {
      throw new UnsupportedVersionError(`${failed}: ${error.message}`, { cause: error });
    }
    if (error instanceof CorruptionError && isForeign(error.cause)) {
      throw new NotARepositoryError(`${failed}: CONFIG is not of a Kloset repository`, {
        cause: error,
      });
    }
    throw error;
  }
}

function isForeign(cause: unknown): boolean {
  return cause instanceof FormatError && cause.reason === "magic";
}

/** In a plaintext repository the key is a hash of the repository's id (format reference, 5). */
function macParameters(
  configuration: Configuration,
  kernels: Kernels,
  store: Store,
  { encryption }: Encoding,
): MacParameters {
  const algorithm = hashAlgorithm(configuration, store);
  if (encryption !== undefined) return { algorithm, key: encryption.key };
  const { repositoryId } = configuration;
  const key = algorithm === "BLAKE3"
    ? kernels.blake3(repositoryId)
    : new Uint8Array(createHash("sha256").update(repositoryId).digest());
  return { algorithm, key };
}

function compressionOf({ compression }: Configuration, store: Store): Compression {
  switch (compression?.algorithm) {
    case undefined:
      return undefined;
    case "LZ4":
    case "GZIP":
      return compression?.algorithm;
    default:
      throw new UnsupportedVersionError(
        `Cannot open repository "${store.location}": ` +
          `unknown compression "${compression?.algorithm}"`,
      );
  }
}

/** A CONFIG that cannot be followed is no hindrance to reading. */
function assertWritable({ configuration: { chunking }, kernels, store }: Engine): void {
  const refused = (problem: string, cause?: unknown) =>
    new UnsupportedVersionError(
      `Cannot write to repository "${store.location}": ${problem}`,
      { cause },
    );
  const algorithm = chunking.algorithm.toLowerCase();
  if (algorithm !== "fastcdc" && algorithm !== "fastcdc-v1.0.0") {
    throw refused(`unknown chunking "${chunking.algorithm}"`);
  }
  if (chunking.maxSize > MAXIMUM_CHUNK_BYTES) {
    throw refused(
      `chunks of ${chunking.maxSize} bytes (greatest supported: ${MAXIMUM_CHUNK_BYTES})`,
    );
  }
  try {
    new CutScanner(kernels, { ...chunking, algorithm }).dispose();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refused(error.message, error);
  }
}

/** The header of a snapshot, which must say that it is this snapshot's. */
function decodedHeader(id: Mac, bytes: () => Uint8Array): Header {
  let header: Header;
  try {
    header = decodeHeader(bytes());
  } catch (error) {
    if (error instanceof FormatError) throw damagedHeader(id, error.message, error);
    throw error;
  }
  if (!macsEqual(header.identifier, id)) throw damagedHeader(id, "it is of another snapshot");
  return header;
}

function damagedHeader(id: Mac, problem: string, cause?: Error): CorruptionError {
  return new CorruptionError(
    `The header of snapshot ${macToHex(id).slice(0, 16)} is damaged: ${problem}`,
    { ...(cause instanceof CorruptionError && cause.context), snapshot: macToHex(id) },
    { cause },
  );
}
