import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Configuration,
  encodeConfigurationFile,
  encodeEnvelope,
  type Encryption,
  ResourceType,
} from "../../../../src/kloset/format/mod.ts";
import {
  CorruptionError,
  EncryptedRepositoryError,
  NotARepositoryError,
  openStore,
  RepositoryNotFoundError,
  type Store,
  StoreError,
  UnsupportedVersionError,
} from "../../../../src/kloset/mod.ts";
import {
  assertSnapshot,
  backUp,
  createWith,
  hash,
  noise,
  openSmall,
  smallConfiguration,
} from "../../../faults/backups.ts";
import { TemporaryDirectory } from "../../../faults/temporary_directory.ts";

const FILES = { "/a": noise(4000, 1) };

const ENCRYPTION: Encryption = {
  subKeyAlgorithm: "AES256-KW",
  dataAlgorithm: "AES256-GCM-SIV",
  chunkSize: 65536,
  salt: new Uint8Array(16),
  kdf: { kdf: "ARGON2ID", saltSize: 16, time: 4, memory: 262144, threads: 1, keyLength: 32 },
  canary: new Uint8Array(64),
};

const { compression } = smallConfiguration();

function configFile(overrides: Partial<Configuration>): Uint8Array {
  return encodeConfigurationFile(smallConfiguration(overrides), hash);
}

function withVersion(bytes: Uint8Array, version: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(12, version, true);
  copy.set(hash(copy.subarray(0, copy.length - 32)), copy.length - 32);
  return copy;
}

type ErrorType = new (...args: never[]) => Error;

const CONFIG = configFile({});

const CONFIGS: [name: string, config: Uint8Array, error: ErrorType, text: string][] = [
  ["empty", new Uint8Array(), CorruptionError, "CONFIG is damaged"],
  ["cut to its first byte", CONFIG.subarray(0, 1), CorruptionError, "CONFIG is damaged"],
  ["cut in its middle", CONFIG.subarray(0, 150), CorruptionError, "CONFIG is damaged"],
  ["cut by one byte", CONFIG.subarray(0, -1), CorruptionError, "CONFIG is damaged"],
  ["flipped", CONFIG.with(100, CONFIG[100]! ^ 4), CorruptionError, "CONFIG is damaged"],
  ["flipped in its MAC", CONFIG.with(-1, CONFIG.at(-1)! ^ 1), CorruptionError, "CONFIG is damaged"],
  ["longer than it was", Uint8Array.from([...CONFIG, 0]), CorruptionError, "CONFIG is damaged"],
  ["of an unknown version", withVersion(CONFIG, 0x00020000), UnsupportedVersionError, "2.0.0"],
  [
    "of another program",
    new TextEncoder().encode("a=1\n".repeat(50)),
    NotARepositoryError,
    "Kloset",
  ],
  [
    "of another kind",
    encodeEnvelope(ResourceType.STATE, 0, CONFIG, hash),
    CorruptionError,
    "STATE",
  ],
  ["encrypted", configFile({ encryption: ENCRYPTION }), EncryptedRepositoryError, "encrypted"],
  [
    "with an unknown hash",
    configFile({ hashing: { algorithm: "MD5", bits: 128 } }),
    UnsupportedVersionError,
    '"MD5"',
  ],
  [
    "with an unknown compression",
    configFile({ compression: { ...compression!, algorithm: "BROTLI" } }),
    UnsupportedVersionError,
    '"BROTLI"',
  ],
  [
    "with ZSTD",
    configFile({ compression: { ...compression!, algorithm: "ZSTD" } }),
    UnsupportedVersionError,
    '"ZSTD"',
  ],
];

/** A repository of one snapshot in a directory. */
async function makeRepository(
  directory: TemporaryDirectory,
): Promise<{ store: Store; id: string }> {
  const store = openStore(directory.at("repository"));
  await createWith(store, smallConfiguration());
  await using repository = await openSmall(store);
  return { store, id: await backUp(repository, FILES) };
}

Deno.test("openRepository() says what is wrong with CONFIG, and changes nothing", async (t) => {
  await using directory = await TemporaryDirectory.make();
  const { store, id } = await makeRepository(directory);
  for (const [name, config, error, text] of CONFIGS) {
    await t.step(name, async () => {
      Deno.writeFileSync(directory.at("repository/CONFIG"), config);
      const before = await directory.listing();
      const thrown = await assertRejects(() => openSmall(store), error, text);
      assertEquals(thrown.constructor, error);
      assert(thrown.message.includes(store.location), thrown.message);
      assertEquals(await directory.listing(), before);
    });
  }
  Deno.writeFileSync(directory.at("repository/CONFIG"), CONFIG);
  await using repository = await openSmall(store);
  await assertSnapshot(repository, id, FILES);
});

Deno.test("openRepository() says what is at the location, and changes nothing", async (t) => {
  await using directory = await TemporaryDirectory.make();
  const make: [name: string, error: ErrorType, make: (path: string) => void][] = [
    ["nothing", RepositoryNotFoundError, () => {}],
    ["an empty directory", RepositoryNotFoundError, (path) => Deno.mkdirSync(path)],
    ["a creation that was cut off", RepositoryNotFoundError, (path) => {
      Deno.mkdirSync(`${path}/packfiles/00`, { recursive: true });
    }],
    ["another directory", NotARepositoryError, (path) => {
      Deno.mkdirSync(path);
      Deno.writeTextFileSync(`${path}/notes.txt`, "mine");
    }],
    ["a file", StoreError, (path) => Deno.writeTextFileSync(path, "mine")],
    ["a directory named CONFIG", StoreError, (path) => {
      Deno.mkdirSync(`${path}/CONFIG`, { recursive: true });
    }],
    ["a repository without its folders", StoreError, (path) => {
      Deno.mkdirSync(path);
      Deno.writeFileSync(`${path}/CONFIG`, CONFIG);
    }],
  ];
  for (const [name, error, makeIt] of make) {
    await t.step(name, async () => {
      const path = directory.at(name);
      makeIt(path);
      const before = await directory.listing();
      const thrown = await assertRejects(() => openSmall(openStore(path)), error, path);
      assert(error !== StoreError || !(thrown instanceof RepositoryNotFoundError));
      assertEquals(await directory.listing(), before);
    });
  }
});

Deno.test("openRepository() and reading change nothing in the repository", async () => {
  await using directory = await TemporaryDirectory.make();
  const { store, id } = await makeRepository(directory);
  const before = await directory.listing();
  await using repository = await openSmall(store);
  await assertSnapshot(repository, id, FILES);
  await repository.snapshots();
  assertEquals(await directory.listing(), before);
});
