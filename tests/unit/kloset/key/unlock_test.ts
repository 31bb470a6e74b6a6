import { assert, assertEquals, assertRejects } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import {
  type Configuration,
  encodeConfigurationFile,
  type Encryption,
} from "../../../../src/kloset/format/mod.ts";
import { newEncryption } from "../../../../src/kloset/key/mod.ts";
import {
  CorruptionError,
  createRepository,
  EncryptedRepositoryError,
  type EngineOptions,
  openRepository,
  UnsupportedVersionError,
  WrongPassphraseError,
} from "../../../../src/kloset/mod.ts";
import {
  backUp,
  createEncryptedWith,
  noise,
  openSmall,
  PASSPHRASE,
  prose,
  smallConfiguration,
} from "../../../faults/backups.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";

const FILES = { "/random": noise(4000, 1), "/text": prose(3000, 2), "/empty": new Uint8Array() };

function passphrase(text: string): EngineOptions {
  return { passphrase: () => Promise.resolve(new TextEncoder().encode(text)) };
}

async function makeRepository(
  overrides: Partial<Configuration> = {},
): Promise<{ store: MemoryStore; id: string }> {
  const store = new MemoryStore();
  await createEncryptedWith(store, smallConfiguration(overrides));
  await using repository = await openSmall(store, PASSPHRASE);
  return { store, id: await backUp(repository, FILES) };
}

/** Everything that a store holds, to tell whether it has changed. */
function contentOf(store: MemoryStore): string {
  const digest = (bytes: Uint8Array) => `${bytes.length}:${bytes.slice(-32)}`;
  const objects = Object.entries(store.objects).flatMap(([kind, objects]) =>
    Array.from(objects as Map<string, Uint8Array>, ([id, bytes]) => [kind, id, digest(bytes)])
  );
  return JSON.stringify([digest(store.configuration ?? new Uint8Array()), objects]);
}

Deno.test("a repository that cannot be unlocked says why, and nothing is written", async (t) => {
  const { store } = await makeRepository();
  const config = store.configuration!;
  const before = contentOf(store);
  const open = (options: EngineOptions) => async () => {
    await using _ = await openSmall(store, options);
  };
  await t.step("no passphrase", async () => {
    const error = await assertRejects(open({}), EncryptedRepositoryError);
    assert(error.message.includes("it is encrypted, and no passphrase was given"));
  });
  await t.step("a wrong passphrase", async () => {
    const secret = "not the passphrase of this one";
    const error = await assertRejects(open(passphrase(secret)), WrongPassphraseError);
    assert(error.message.includes("the passphrase is wrong"));
    assert(!Deno.inspect(error).includes(secret));
  });
  assertEquals(contentOf(store), before);
  const damage = async (at: number, text: string) => {
    store.configuration = config.with(at, config[at]! ^ 1);
    const error = await assertRejects(open(PASSPHRASE), CorruptionError);
    assert(error.message.includes(text), error.message);
    // Somebody without the passphrase cannot tell more.
    await assertRejects(open(passphrase("another passphrase")), WrongPassphraseError);
    store.configuration = config;
  };
  await t.step(
    "a damaged footer",
    () => damage(config.length - 1, "CONFIG is damaged: the footer"),
  );
  await t.step("a damaged setting", () => damage(25, "CONFIG is damaged: the footer"));
  // The canary's 100 bytes are the last thing before the footer.
  await t.step(
    "a damaged key in the canary",
    () => damage(config.length - 32 - 80, "CONFIG is damaged: the canary"),
  );
  await t.step(
    "a damaged canary",
    () => damage(config.length - 33, "CONFIG is damaged: the canary"),
  );
  assertEquals(contentOf(store), before);
});

Deno.test("a damaged salt looks like a wrong passphrase", async () => {
  const { store } = await makeRepository();
  const config = store.configuration!;
  const salt = new TextDecoder("latin1").decode(config).indexOf("Salt") + 6;
  store.configuration = config.with(salt, config[salt]! ^ 1);
  await assertRejects(() => openSmall(store, PASSPHRASE), WrongPassphraseError);
});

Deno.test("encryption of a kind that is not known is not taken for a wrong passphrase", async () => {
  const kernels = await Kernels.load();
  const bytes = (await PASSPHRASE.passphrase!("create"))!;
  const { configuration, unit } = await newEncryption(kernels, bytes, {
    kdf: { kdf: "PBKDF2", saltSize: 16, iterations: 1, keyLength: 32, hashing: "SHA256" },
  });
  const opening = async (change: Partial<Encryption>) => {
    const store = new MemoryStore();
    const config = smallConfiguration({ encryption: { ...configuration, ...change } });
    await store.create(encodeConfigurationFile(config, (b) => kernels.blake3(b, unit.key)));
    await using _ = await openSmall(store, PASSPHRASE);
  };
  await opening({});
  const kdf = { ...configuration.kdf, hashing: "SHA3" } as Encryption["kdf"];
  for (const change of [{ subKeyAlgorithm: "AES256-GCM" }, { dataAlgorithm: "X" }, { kdf }]) {
    await assertRejects(() => opening(change), UnsupportedVersionError, "not known");
  }
  await assertRejects(() => opening({ chunkSize: 0 }), CorruptionError, "CONFIG is damaged");
});

Deno.test("flipped ciphertext of a chunk is told apart from a wrong passphrase", async () => {
  const { store, id } = await makeRepository();
  for (const [packfile, bytes] of store.objects.packfile) {
    store.objects.packfile.set(packfile, bytes.with(100, bytes[100]! ^ 1));
  }
  await using repository = await openSmall(store, PASSPHRASE);
  const error = await assertRejects(() => repository.openSnapshot(id), CorruptionError);
  assert(error.message.includes("is damaged"), error.message);
});

Deno.test("a plaintext repository needs no passphrase, and none is asked for", async () => {
  const store = new MemoryStore();
  const passphrase = () => Promise.reject(new Error("asked"));
  await (await createRepository(store, { passphrase })).close();
  await using repository = await openRepository(store, { passphrase });
  assert(!repository.isEncrypted);
});
