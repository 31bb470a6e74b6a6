/**
 * Small repositories for tests: made with tiny chunks, so that a few kilobytes have many of them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Kernels } from "../../src/kernels/mod.ts";
import {
  type EngineOptions,
  openRepository,
  type Repository,
  type SnapshotOptions,
  type Store,
} from "../../src/kloset/mod.ts";
import { newEncryption } from "../../src/kloset/key/mod.ts";
import {
  type Configuration,
  defaultConfiguration,
  encodeConfigurationFile,
  macToHex,
  uuidFromString,
} from "../../src/kloset/format/mod.ts";

/** Contents by path. */
export type Files = Readonly<Record<string, Uint8Array>>;

const kernels = await Kernels.load();

/** The unkeyed hash that CONFIG is signed with. */
export function hash(bytes: Uint8Array): Uint8Array {
  return kernels.blake3(bytes);
}

/** Bytes that look random and do not compress; the same for the same seed. */
export function noise(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = Math.imul(state, 0x85ebca6b);
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** Bytes that compress well. */
export function prose(length: number, seed: number): Uint8Array {
  return noise(length, seed).map((byte) => 97 + byte % 4);
}

/** The settings of a repository whose chunks have 64 to 1,024 bytes. */
export function smallConfiguration(overrides: Partial<Configuration> = {}): Configuration {
  return {
    ...defaultConfiguration(uuidFromString("c531c62d-7b85-492d-a4ce-8599399750d9"), 1_000_000_000n),
    chunking: { algorithm: "fastcdc-v1.0.0", minSize: 64, normalSize: 256, maxSize: 1024 },
    ...overrides,
  };
}

/** Creates a repository with these settings. */
export async function createWith(store: Store, configuration: Configuration): Promise<void> {
  await store.create(encodeConfigurationFile(configuration, hash));
}

/** The passphrase of {@linkcode createEncryptedWith}. */
export const PASSPHRASE: EngineOptions = {
  passphrase: () => Promise.resolve(new TextEncoder().encode("a passphrase of a test")),
};

/** Creates an encrypted repository with these settings, whose key costs next to nothing. */
export async function createEncryptedWith(
  store: Store,
  configuration: Configuration,
): Promise<void> {
  const passphrase = await PASSPHRASE.passphrase!("create");
  const encryption = await newEncryption(kernels, passphrase!, {
    kdf: { kdf: "PBKDF2", saltSize: 16, iterations: 1, keyLength: 32, hashing: "SHA256" },
  });
  await store.create(encodeConfigurationFile(
    { ...configuration, encryption: encryption.configuration },
    (bytes) => kernels.blake3(bytes, encryption.unit.key),
  ));
}

/** Opens with one thread. */
export function openSmall(store: Store, options: EngineOptions = {}): Promise<Repository> {
  return openRepository(store, { jobs: 1, ...options });
}

/** What a snapshot of a test is called. */
export const SNAPSHOT: SnapshotOptions = {
  name: "test",
  importer: { type: "test", origin: "here", directory: "/" },
};

/** A stream of the bytes in one piece. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** Backs up the files and returns the snapshot's id; a failure is thrown after the abort. */
export async function backUp(
  repository: Repository,
  files: Files,
  options: Partial<SnapshotOptions> = {},
): Promise<string> {
  const writer = await repository.createSnapshot({ ...SNAPSHOT, ...options });
  try {
    for (const [path, bytes] of Object.entries(files)) await writer.addFile(path, streamOf(bytes));
    await writer.commit();
  } finally {
    await writer.abort();
  }
  return writer.id;
}

/** A file's bytes, by {@linkcode SnapshotReader.copy}. */
export async function contentOf(
  repository: Repository,
  id: string,
  path: string,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const reader = await repository.openSnapshot(id);
  await reader.copy(path, (bytes) => {
    parts.push(bytes.slice());
    return Promise.resolve();
  });
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** The snapshot has these files and no others, is sound, and is read back byte for byte. */
export async function assertSnapshot(
  repository: Repository,
  id: string,
  files: Files,
): Promise<void> {
  const reader = await repository.openSnapshot(id);
  assertEquals(await reader.check(), []);
  const paths: string[] = [];
  for await (const entry of reader.entries()) if (entry.type === "file") paths.push(entry.path);
  assertEquals(paths.sort(), Object.keys(files).sort());
  for (const [path, bytes] of Object.entries(files)) {
    assertEquals(hex(await contentOf(repository, id, path)), hex(bytes), path);
  }
}

/** The digest of bytes: two of them tell a difference without printing megabytes. */
function hex(bytes: Uint8Array): string {
  return `${bytes.length} bytes, ${macToHex(hash(bytes))}`;
}

/** Ids of all snapshots, in order; fails where one is unreadable. */
export async function snapshotIds(repository: Repository): Promise<string[]> {
  const { headers, unreadable } = await repository.snapshots();
  assertEquals(unreadable, []);
  return headers.map(({ identifier }) => identifier).sort();
}
