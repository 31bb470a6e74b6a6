/**
 * A small repository, damaged everywhere: what is read is right, or an error; and a check tells.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Kernels } from "../../src/kernels/mod.ts";
import {
  CorruptionError,
  KlosetError,
  type ObjectKind,
  type Repository,
  type SnapshotReader,
  type Store,
} from "../../src/kloset/mod.ts";
import { Codec } from "../../src/kloset/unit/codec.ts";
import { repositoryEncryption } from "../../src/kloset/key/mod.ts";
import {
  decodeConfigurationFile,
  decodePackfileFooter,
  ENVELOPE_FOOTER_BYTES,
  ENVELOPE_HEADER_BYTES,
  locatePackfileFooter,
} from "../../src/kloset/format/mod.ts";
import {
  backUp,
  contentOf,
  createEncryptedWith,
  createWith,
  type Files,
  noise,
  openSmall,
  PASSPHRASE,
  prose,
  smallConfiguration,
} from "./backups.ts";
import { type Fault, FaultyStore, once } from "./faulty_store.ts";
import { MemoryStore } from "./memory_store.ts";

type Kind = ObjectKind | "CONFIG";

/** A repository and what must come out of it. */
interface Sound {
  readonly store: MemoryStore;
  readonly snapshots: ReadonlyMap<string, Files>;
}

const SHARED = noise(2500, 1);

/** How a repository stores what it is given. */
type Encoding = "LZ4" | "no compression" | "encrypted";

async function makeSound(encoding: Encoding = "LZ4"): Promise<Sound> {
  const store = new MemoryStore();
  const configuration = smallConfiguration(
    encoding === "no compression" ? { compression: undefined } : {},
  );
  await (encoding === "encrypted" ? createEncryptedWith : createWith)(store, configuration);
  const sets: Files[] = [
    { "/shared": SHARED, "/dir/text": prose(1500, 2), "/dir/empty": new Uint8Array() },
    { "/shared": SHARED, "/other": noise(700, 3) },
  ];
  const snapshots = new Map<string, Files>();
  for (const files of sets) {
    await using repository = await openSmall(store, PASSPHRASE);
    snapshots.set(await backUp(repository, files), files);
  }
  return { store, snapshots };
}

/** What became of the damage. */
interface Outcome {
  /** A check, an open, or a warning has told. */
  readonly reported: boolean;
  /** All that was written can be read. */
  readonly intact: boolean;
}

/** Reads everything that is left; fails the test where anything is wrong that is not an error. */
async function inspect(
  store: Store,
  snapshots: Sound["snapshots"],
  where: string,
): Promise<Outcome> {
  let repository: Repository;
  const warnings: string[] = [];
  try {
    repository = await openSmall(store, {
      ...PASSPHRASE,
      onWarning: (message) => warnings.push(message),
    });
  } catch (error) {
    assert(error instanceof KlosetError, unexpected(error, where));
    return { reported: true, intact: false };
  }
  await using _ = repository;
  return await inspectOpen(repository, snapshots, where, warnings.length > 0);
}

async function inspectOpen(
  repository: Repository,
  snapshots: Sound["snapshots"],
  where: string,
  warned: boolean,
): Promise<Outcome> {
  let reported = warned;
  let intact = true;
  const { headers, unreadable } = await repository.snapshots();
  reported ||= unreadable.length > 0;
  for (const { identifier } of headers) assert(snapshots.has(identifier), where);
  for (const [id, files] of snapshots) {
    const isSound = await attempt(() => checkOf(repository, id), where);
    const isReadable = await attempt(() => assertReadable(repository, id, files, where), where);
    reported ||= !isSound;
    intact &&= isReadable;
  }
  return { reported, intact };
}

/** Reads the tree and every file; goes on after an error, so that each file is tried. */
async function assertReadable(
  repository: Repository,
  id: string,
  files: Files,
  where: string,
): Promise<boolean> {
  const reader = await repository.openSnapshot(id);
  let isReadable = await attempt(() => assertTree(reader, files, where), where);
  for (const [path, bytes] of Object.entries(files)) {
    const isRead = await attempt(() => assertRead(reader, path, bytes, where), where);
    isReadable &&= isRead;
  }
  return isReadable;
}

/** Runs an action whose errors may only be the engine's own; true: none, and what it gives is true. */
async function attempt(action: () => Promise<boolean>, where: string): Promise<boolean> {
  try {
    return await action();
  } catch (error) {
    assert(error instanceof KlosetError, unexpected(error, where));
    return false;
  }
}

function unexpected(error: unknown, where: string): string {
  return `${where}: ${error instanceof Error ? error.stack : error}`;
}

async function checkOf(repository: Repository, id: string): Promise<boolean> {
  const damages = await (await repository.inspectSnapshot(id)).check();
  for (const { snapshot, message } of damages) {
    assertEquals(snapshot, id);
    assert(message.length > 0);
  }
  return damages.length === 0;
}

async function assertRead(
  reader: SnapshotReader,
  path: string,
  expected: Uint8Array,
  where: string,
): Promise<boolean> {
  let length = 0;
  await named(reader.header.identifier, path, where, async () => {
    await reader.copy(path, (bytes) => {
      for (const [i, byte] of bytes.entries()) {
        if (byte !== expected[length + i]) throw new Error(`${where}: wrong byte ${length + i}`);
      }
      length += bytes.length;
      return Promise.resolve();
    });
  });
  assertEquals(length, expected.length, where);
  return true;
}

/** An error about a content says of which snapshot and path it is, and in which packfile. */
async function named(
  snapshot: string,
  path: string,
  where: string,
  action: () => Promise<void>,
): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof CorruptionError) {
      assertEquals([error.context.snapshot, error.context.path], [snapshot, path], where);
      assert(error.message.includes(snapshot.slice(0, 16)), `${where}: ${error.message}`);
      assert(error.message.includes(`"${path}"`), `${where}: ${error.message}`);
      for (const id of [error.context.packfile, error.context.chunk]) {
        if (id !== undefined) assert(error.message.includes(id), `${where}: ${error.message}`);
      }
    }
    throw error;
  }
}

async function assertTree(
  reader: SnapshotReader,
  files: Files,
  where: string,
): Promise<boolean> {
  assertEquals([reader.header.name, reader.header.importer.type], ["test", "test"], where);
  const sizes: Record<string, number> = {};
  for await (const { path, size, type } of reader.entries()) {
    if (type === "file") sizes[path] = size;
  }
  const expected = Object.entries(files).map(([path, { length }]) => [path, length]);
  assertEquals(sizes, Object.fromEntries(expected), where);
  return true;
}

/** Everything that is stored. */
function* objectsOf(store: MemoryStore): Generator<[kind: Kind, id: string, bytes: Uint8Array]> {
  yield ["CONFIG", "", store.configuration!];
  for (const kind of ["state", "packfile"] as const) {
    for (const [id, bytes] of store.objects[kind]) yield [kind, id, bytes];
  }
}

/** What a store's operations call the object. */
function idOf(kind: Kind, id: string): string | undefined {
  return kind === "CONFIG" ? undefined : id;
}

function replace(store: MemoryStore, kind: Kind, id: string, bytes: Uint8Array | undefined): void {
  if (kind === "CONFIG") store.configuration = bytes;
  else if (bytes === undefined) store.objects[kind].delete(id);
  else store.objects[kind].set(id, bytes);
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.with(bit >>> 3, bytes[bit >>> 3]! ^ (1 << (bit & 7)));
}

/** Where the parts of a packfile that are not blobs start. */
function regionsOf(kind: Kind, bytes: Uint8Array, codec: (bytes: Uint8Array) => Uint8Array) {
  const body = bytes.subarray(ENVELOPE_HEADER_BYTES, -ENVELOPE_FOOTER_BYTES);
  const positions = [0, 8, 12, 15, ENVELOPE_HEADER_BYTES, bytes.length - 32, bytes.length - 1];
  if (kind !== "packfile") return positions;
  const { start, encodedFooter } = locatePackfileFooter(body);
  const footer = decodePackfileFooter(codec(encodedFooter));
  for (const at of [footer.indexOffset, start, body.length - 4]) {
    positions.push(ENVELOPE_HEADER_BYTES + at);
  }
  return positions;
}

/** Decodes what a repository stores. */
async function decoderOf(
  store: MemoryStore,
  encoding: Encoding,
): Promise<(bytes: Uint8Array) => Uint8Array> {
  const kernels = await Kernels.load();
  const { encryption } = decodeConfigurationFile(store.configuration!, (b) => kernels.blake3(b));
  const passphrase = await PASSPHRASE.passphrase!("open");
  const codec = new Codec(kernels, {
    compression: encoding === "no compression" ? undefined : "LZ4",
    encryption: encryption && await repositoryEncryption(passphrase!, encryption),
  });
  return (bytes) => codec.decode(bytes);
}

/** Positions spread over an object, of which all regions' first bytes are some. */
function positionsOf(bytes: Uint8Array, regions: readonly number[], count: number): number[] {
  const step = Math.max(1, Math.floor(bytes.length / count));
  const positions = new Set(regions);
  for (let at = 0; at < bytes.length; at += step) positions.add(at);
  return [...positions].sort((a, b) => a - b);
}

for (const encoding of ["LZ4", "no compression", "encrypted"] as const) {
  Deno.test(`a bit flipped anywhere is told, or does no harm (${encoding})`, async () => {
    const { store, snapshots } = await makeSound(encoding);
    const codec = await decoderOf(store, encoding);
    // Packfiles are read anew each time: they can be damaged under an open repository.
    await using repository = await openSmall(store, PASSPHRASE);
    let tolerated = 0;
    let total = 0;
    for (const [kind, id, bytes] of [...objectsOf(store)]) {
      const count = kind === "packfile" ? 40 : kind === "state" ? 25 : bytes.length;
      for (const at of positionsOf(bytes, regionsOf(kind, bytes, codec), count)) {
        const where = `${kind} ${id.slice(0, 8)}, bit ${8 * at + at % 8}`;
        replace(store, kind, id, flipped(bytes, 8 * at + at % 8));
        const outcome = kind === "packfile"
          ? await inspectOpen(repository, snapshots, where, false)
          : await inspect(store, snapshots, where);
        replace(store, kind, id, bytes);
        assert(outcome.reported || outcome.intact, `${where}: damage that nobody has told of`);
        // A snapshot's own packfile, all states and CONFIG are authenticated as a whole.
        if (kind !== "packfile") assert(outcome.reported, where);
        total++;
        if (!outcome.reported) tolerated++;
      }
    }
    // Padding and indexes of packfiles of chunks are not read.
    assert(tolerated < 0.5 * total, `${tolerated} of ${total} flips were not told of`);
    assertEquals(await inspect(store, snapshots, "repaired"), { reported: false, intact: true });
  });
}

Deno.test("what is cut off anywhere is told, or does no harm", async () => {
  const { store, snapshots } = await makeSound();
  await using repository = await openSmall(store, PASSPHRASE);
  for (const [kind, id, bytes] of [...objectsOf(store)]) {
    for (const length of positionsOf(bytes, [0, 1, 15, 16, 47, bytes.length - 1], 12)) {
      const where = `${kind} ${id.slice(0, 8)}, cut to ${length}`;
      replace(store, kind, id, bytes.slice(0, length));
      const outcome = kind === "packfile"
        ? await inspectOpen(repository, snapshots, where, false)
        : await inspect(store, snapshots, where);
      assert(outcome.reported || outcome.intact, `${where}: damage that nobody has told of`);
      if (kind !== "packfile") assert(outcome.reported, where);
    }
    replace(store, kind, id, bytes);
  }
});

Deno.test("a packfile that is missing is told; a state that is missing takes its snapshot along", async () => {
  const { store, snapshots } = await makeSound();
  for (const [kind, id, bytes] of [...objectsOf(store)]) {
    const where = `${kind} ${id.slice(0, 8)} is missing`;
    replace(store, kind, id, undefined);
    const outcome = await inspect(store, snapshots, where);
    assertEquals(outcome, { reported: true, intact: false }, where);
    replace(store, kind, id, bytes);
  }
});

Deno.test("packfiles that have changed places are told", async () => {
  const { store, snapshots } = await makeSound();
  const packfiles = [...store.objects.packfile];
  for (const [i, [id]] of packfiles.entries()) {
    store.objects.packfile.set(id, packfiles[(i + 1) % packfiles.length]![1]);
  }
  assertEquals(await inspect(store, snapshots, "exchanged"), { reported: true, intact: false });
});

for (const encoding of ["LZ4", "no compression", "encrypted"] as const) {
  Deno.test(`a bit flipped on the first read only is healed by the second (${encoding})`, async () => {
    const { store, snapshots } = await makeSound(encoding);
    const faulty = new FaultyStore(store);
    await using repository = await openSmall(faulty, PASSPHRASE);
    for (const [kind, id, bytes] of [...objectsOf(store)]) {
      for (const at of positionsOf(bytes, [0, 8, 13, 14], kind === "packfile" ? 20 : 8)) {
        const bit = 8 * at + at % 8;
        const where = `${kind} ${id.slice(0, 8)}, bit ${bit}`;
        faulty.setPlan(once(kind, idOf(kind, id), { type: "flip", bit }));
        const outcome = kind === "packfile"
          ? await inspectOpen(repository, snapshots, where, false)
          : await inspect(faulty, snapshots, where);
        assertEquals(outcome, { reported: false, intact: true }, where);
        if (kind !== "packfile") assertEquals(faulty.injected, 1, where);
      }
    }
  });
}

Deno.test("an object that looks short or missing once is read again or told", async () => {
  const { store, snapshots } = await makeSound();
  for (const [kind, id, bytes] of [...objectsOf(store)]) {
    const faults: Fault[] = [{ type: "short", length: bytes.length >> 1 }, { type: "vanish" }];
    for (const fault of faults) {
      const where = `${kind} ${id.slice(0, 8)}, ${fault.type} once`;
      const faulty = new FaultyStore(store, once(kind, idOf(kind, id), fault));
      const outcome = await inspect(faulty, snapshots, where);
      if (fault.type === "short") {
        assertEquals(outcome, { reported: false, intact: true }, where);
      } else {
        // A state that vanishes has been deleted, as far as anybody can tell.
        assert(kind === "state" || outcome.reported || outcome.intact, where);
      }
    }
  }
});

Deno.test("a damaged chunk is named: snapshot, path, chunk and packfile", async () => {
  const { store, snapshots } = await makeSound();
  await using repository = await openSmall(store, PASSPHRASE);
  const [id, files] = [...snapshots][1]!;
  let named = 0;
  for (const [packfile, bytes] of [...store.objects.packfile]) {
    store.objects.packfile.set(packfile, flipped(bytes, 8 * 30));
    for (const damage of await (await repository.inspectSnapshot(id)).check()) {
      if (damage.chunk === undefined) continue;
      named++;
      assertEquals([damage.snapshot, damage.packfile], [id, packfile]);
      assert(damage.path in files, damage.path);
      for (const part of [id.slice(0, 16), damage.path, damage.chunk, packfile]) {
        assert(damage.message.includes(part), damage.message);
      }
      const read = () => contentOf(repository, id, damage.path);
      const error = await assertRejects(read, CorruptionError);
      const { path, chunk } = damage;
      assertEquals(error.context, { snapshot: id, path, chunk, packfile });
    }
    store.objects.packfile.set(packfile, bytes);
  }
  assert(named >= 2, `${named} chunks were found damaged`);
});

Deno.test("a fast check finds packfiles that are missing or short, and reads no chunk", async () => {
  const { store, snapshots } = await makeSound();
  const faulty = new FaultyStore(store);
  await using repository = await openSmall(faulty, PASSPHRASE);
  const [id] = [...snapshots][1]!;
  const reader = await repository.openSnapshot(id);
  const before = faulty.operations.length;
  assertEquals(await reader.check({ fast: true }), []);
  assert(faulty.operations.slice(before).some(({ method }) => method === "size"));
  for (const [packfile, bytes] of [...store.objects.packfile]) {
    store.objects.packfile.set(packfile, bytes.slice(0, 100));
    const short = await reader.check({ fast: true });
    store.objects.packfile.delete(packfile);
    const missing = await reader.check({ fast: true });
    store.objects.packfile.set(packfile, bytes);
    assertEquals(short.length > 0, missing.length > 0, packfile);
    for (const { snapshot } of [...short, ...missing]) assertEquals(snapshot, id);
  }
  const [shared] = store.objects.packfile.keys();
  store.objects.packfile.delete(shared!);
  assert((await reader.check({ fast: true })).some(({ path }) => path === "/shared"));
});
