import { assert, assertEquals, assertRejects } from "@std/assert";
import { defaultConfiguration } from "../../../../src/kloset/format/mod.ts";
import {
  createRepository,
  EncryptedRepositoryError,
  type EngineOptions,
  openStore,
  StoreError,
  WeakPassphraseError,
} from "../../../../src/kloset/mod.ts";
import { assertSnapshot, backUp, noise, openSmall, prose } from "../../../faults/backups.ts";
import { MemoryStore } from "../../../faults/memory_store.ts";
import { TemporaryDirectory } from "../../../faults/temporary_directory.ts";

const FILES = { "/random": noise(4000, 1), "/text": prose(3000, 2), "/empty": new Uint8Array() };

function passphrase(text: string): EngineOptions {
  return { passphrase: () => Promise.resolve(new TextEncoder().encode(text)) };
}

Deno.test("createRepository() creates only where there is nothing", async () => {
  await using directory = await TemporaryDirectory.make();
  Deno.mkdirSync(directory.at("empty"));
  for (const name of ["missing/deep", "empty"]) {
    const store = openStore(directory.at(name));
    await using repository = await createRepository(store, { now: () => 1_700_000_000_123 });
    const { configuration } = repository;
    const expected = defaultConfiguration(configuration.repositoryId, 1_700_000_000_123_000_000n);
    assertEquals(configuration, expected);
    assertEquals(repository.location, store.location);
  }
  Deno.mkdirSync(directory.at("foreign"));
  Deno.writeTextFileSync(directory.at("foreign/notes.txt"), "mine");
  Deno.writeTextFileSync(directory.at("file"), "mine");
  for (const name of ["missing/deep", "foreign", "file", "file/below"]) {
    const before = await directory.listing();
    await assertRejects(() => createRepository(openStore(directory.at(name))), StoreError);
    assertEquals(await directory.listing(), before, name);
  }
});

Deno.test("createRepository() encrypts with settings of plakar, and opens only with the passphrase", async () => {
  const store = new MemoryStore();
  const given = new TextEncoder().encode("twelve chars");
  const asked: string[] = [];
  const id = await (async () => {
    await using repository = await createRepository(store, {
      encrypt: true,
      passphrase: (purpose) => {
        asked.push(purpose);
        return Promise.resolve(given);
      },
    });
    const { encryption } = repository.configuration;
    assertEquals(encryption?.subKeyAlgorithm, "AES256-KW");
    assertEquals(encryption?.dataAlgorithm, "AES256-GCM-SIV");
    assertEquals(encryption?.chunkSize, 65_536);
    assertEquals(encryption?.canary.length, 100);
    assertEquals(encryption?.kdf, {
      kdf: "ARGON2ID",
      saltSize: 16,
      time: 4,
      memory: 262_144,
      threads: 1,
      keyLength: 32,
    });
    return await backUp(repository, FILES);
  })();
  assertEquals(asked, ["create"]);
  assert(given.every((byte) => byte === 0), "the passphrase was wiped");
  await using repository = await openSmall(store, passphrase("twelve chars"));
  await assertSnapshot(repository, id, FILES);
});

Deno.test("createRepository() refuses short passphrases, and none, and creates nothing", async () => {
  const refuse = async (options: EngineOptions, error: new (...args: never[]) => Error) => {
    const store = new MemoryStore();
    await assertRejects(() => createRepository(store, { encrypt: true, ...options }), error);
    assertEquals(await store.presence(), "absent");
  };
  await refuse({}, EncryptedRepositoryError);
  await refuse({ passphrase: () => Promise.resolve(undefined) }, EncryptedRepositoryError);
  await refuse(passphrase(""), WeakPassphraseError);
  await refuse(passphrase("eleven char"), WeakPassphraseError);
  // Characters are counted, not bytes.
  await refuse(passphrase("€".repeat(11)), WeakPassphraseError);
});
