/**
 * What the real plakar does where the format reference could only be read from its sources. Our
 * writer and reader rely on these facts; a new release of plakar that changes one is found here.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Kernels } from "../../src/kernels/mod.ts";
import {
  decodeConfigurationFile,
  encodeEnvelope,
  encodeLock,
  ResourceType,
  splitEnvelope,
} from "../../src/kloset/format/mod.ts";
import { LockedError, UnsupportedVersionError } from "../../src/kloset/mod.ts";
import { configureRepository } from "./configure.ts";
import { prose, randomBytes } from "./content.ts";
import { Plakar, type PlakarResult } from "./plakar.ts";
import {
  countPackfiles,
  create,
  digestOf,
  filesUnder,
  IMPORTER,
  open,
  sha256,
  store,
  streamOf,
  Workspace,
} from "./workspace.ts";

const VERSION_1_0_0 = 0x10000;

/** The keyed hash of a plaintext BLAKE3 repository. */
async function macOf(repository: string): Promise<(bytes: Uint8Array) => Uint8Array> {
  const kernels = await Kernels.load();
  const blake3 = (bytes: Uint8Array) => kernels.blake3(bytes);
  const file = await Deno.readFile(`${repository}/CONFIG`);
  const { repositoryId } = decodeConfigurationFile(file, blake3);
  const key = blake3(repositoryId);
  return (bytes) => kernels.blake3(bytes, key);
}

/** Puts somebody else's lock into an uncompressed repository. @returns the path of its file */
async function putLock(repository: string, exclusive: boolean, date: Date): Promise<string> {
  const payload = encodeLock({
    version: VERSION_1_0_0,
    timestampNs: BigInt(date.getTime()) * 1_000_000n,
    hostname: "elsewhere",
    exclusive,
  });
  const mac = await macOf(repository);
  const path = `${repository}/locks/${"0f".repeat(32)}`;
  await Deno.writeFile(path, encodeEnvelope(ResourceType.LOCK, VERSION_1_0_0, payload, mac));
  return path;
}

/** All that a command printed: plakar puts some errors on its standard output. */
function printed({ stdout, stderr }: PlakarResult): string {
  return new TextDecoder().decode(stdout) + stderr;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
}

Deno.test("plakar and we take a CONFIG of version 1.0.0 alone", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  for (
    const { version, text } of [
      { version: 0x10001, text: "v1.0.1" },
      { version: 0x10100, text: "v1.1.0" },
      { version: 0x20000, text: "v2.0.0" },
    ]
  ) {
    const repository = workspace.at(text);
    await plakar.create(repository);
    await configureRepository(repository, { version });
    const { code, stderr } = await plakar.tryRun(repository, ["ls"]);
    assertEquals(code, 78);
    assert(stderr.includes(`incompatible repository version: ${text} != 1.0.0`), stderr);
    await assertRejects(async () => {
      await using _opened = await open(repository);
    }, UnsupportedVersionError);
  }
});

Deno.test("plakar says which repository is absent, and which folder is not empty", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const absent = await plakar.tryRun(workspace.at("absent"), ["ls"]);
  assertEquals(absent.code, 66);
  assert(absent.stderr.includes("failed to open the repository at"), absent.stderr);
  await Deno.mkdir(workspace.at("full/inner"), { recursive: true });
  const full = await plakar.tryRun(workspace.at("full"), ["create", "-plaintext"]);
  assertEquals(full.code, 1);
  assert(printed(full).includes("is not empty"), printed(full));
});

Deno.test("a live exclusive lock keeps plakar and us from writing, a shared one does not", async (t) => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await plakar.create(repository, { compression: false });
  const content = randomBytes(1000, 1);
  const backup = () =>
    plakar.tryRun(repository, ["backup", "-no-progress", "stdin:x"], { stdin: content });
  const ours = async () => {
    await using opened = await open(repository);
    return await store(opened, "/x", streamOf(content));
  };

  await t.step("a live exclusive one", async () => {
    const lock = await putLock(repository, true, new Date());
    const refused = await backup();
    assertEquals(refused.code, 1);
    assert(printed(refused).includes("it's already locked by maintenance"), printed(refused));
    await assertRejects(ours, LockedError);
    // Both have removed their own, and neither that of the other.
    const left = await Array.fromAsync(filesUnder(`${repository}/locks`));
    assertEquals(left, [lock]);
    assertEquals(await plakar.snapshots(repository), []);
    await Deno.remove(lock);
  });
  await t.step("a live shared one", async () => {
    const lock = await putLock(repository, false, new Date());
    assertEquals((await backup()).code, 0);
    await ours();
    assert(await exists(lock));
    const refused = await plakar.tryRun(repository, ["maintenance"]);
    assertEquals(refused.code, 1);
    const message = "Can't take exclusive lock, repository is already locked";
    assert(printed(refused).includes(message), printed(refused));
    await Deno.remove(lock);
  });
  await t.step("an exclusive one that has not been refreshed for ten minutes", async () => {
    const lock = await putLock(repository, true, new Date(Date.now() - 601_000));
    assertEquals((await backup()).code, 0);
    assert(!await exists(lock));
    await putLock(repository, true, new Date(Date.now() - 601_000));
    await ours();
    assert(!await exists(lock));
  });
});

Deno.test("plakar ignores temporary files and foreign names beside packfiles and states", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await using ours = await create(repository);
  const id = await store(ours, "/x", streamOf(randomBytes(1000, 1)));
  for (const path of ["tmp.123", "packfiles/tmp.456", "states/tmp.789", "packfiles/00/junk"]) {
    await Deno.writeTextFile(`${repository}/${path}`, "left behind");
  }
  await plakar.check(repository);
  assertEquals((await plakar.snapshots(repository)).map((found) => found.id), [id]);
  const reopened = await open(repository);
  const snapshot = await reopened.openSnapshot(id);
  assertEquals(await snapshot.check(), []);
  await reopened.close();
});

Deno.test("plakar keeps what was removed for seven days, unless told otherwise", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await using ours = await create(repository);
  const removed = await store(ours, "/x", streamOf(randomBytes(1_000_000, 1)));
  await store(ours, "/x", streamOf(randomBytes(1_000_000, 2)));
  await plakar.remove(repository, removed);
  const before = await countPackfiles(repository);
  for (const grace of [undefined, "167h", "1h"]) {
    const env = { PLAKAR_LOCKLESS: "true", ...(grace && { PLAKAR_GRACEPERIOD: grace }) };
    await plakar.run(repository, ["maintenance"], { env });
    await plakar.run(repository, ["maintenance"], { env });
    assertEquals(await countPackfiles(repository), before);
  }
  await plakar.maintenance(repository);
  assert(await countPackfiles(repository) < before);
});

Deno.test("plakar's diag shows snapshots of ours: it needs summaries and all indexes", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await using ours = await create(repository);
  const writer = await ours.createSnapshot({ name: "tree", importer: IMPORTER });
  writer.addDirectory("/folder", { mode: 0o755 });
  await writer.addFile("/folder/file", streamOf(prose(5000, 1)), { mode: 0o640 });
  await writer.addFile("/file", streamOf(randomBytes(3_000_000, 2)), { mode: 0o640 });
  const { identifier: id } = await writer.commit();
  const diag = async (...args: string[]) => {
    return new TextDecoder().decode(await plakar.run(repository, ["diag", ...args]));
  };
  const folder = await diag("vfs", `${id}:/folder`);
  assert(folder.includes("Directory.Files: 1\n"), folder);
  assert(folder.includes("(5000 bytes)"), folder);
  const root = await diag("vfs", `${id}:/`);
  assert(root.includes("Below.Files: 1\n") && root.includes("Directory.Files: 1\n"), root);
  const types = (await diag("contenttype", `${id}:/`)).trim().split("\n");
  assertEquals(types.length, 2);
  assert(types.every((line) => /^\/.+\/.+\/file$/.test(line)), types.join("\n"));
  assert((await diag("dirpack", id)).includes(" / "));
  const digest = await plakar.run(repository, ["digest", `${id}:/file`]);
  assert(new TextDecoder().decode(digest).includes(sha256(randomBytes(3_000_000, 2))));
});

Deno.test("plakar and we find the same damage: a bit of a chunk", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await using ours = await create(repository);
  const sound = await store(ours, "/sound", streamOf(randomBytes(900_000, 1)));
  const before = new Set(await Array.fromAsync(filesUnder(`${repository}/packfiles`)));
  const damaged = await store(ours, "/damaged", streamOf(randomBytes(900_000, 2)));
  let flipped = 0;
  for await (const path of filesUnder(`${repository}/packfiles`)) {
    if (before.has(path) || (await Deno.stat(path)).size < 900_000) continue;
    const content = await Deno.readFile(path);
    content[450_000] = (content[450_000] ?? 0) ^ 1;
    await Deno.writeFile(path, content);
    flipped++;
  }
  assertEquals(flipped, 1);
  assertEquals((await plakar.tryRun(repository, ["check", sound])).code, 0);
  const found = await plakar.tryRun(repository, ["check", damaged]);
  assertEquals(found.code, 65, printed(found));
  await using reopened = await open(repository);
  assertEquals(await (await reopened.openSnapshot(sound)).check(), []);
  const snapshot = await reopened.openSnapshot(damaged);
  assertEquals((await snapshot.check()).map(({ path }) => path), ["/damaged"]);
  await assertRejects(() => digestOf(snapshot, "/damaged"));
});

// ---- LZ4 frames --------------------------------------------------------------------------------

/** XXH32 with seed 0, as LZ4 frames use it. */
function xxh32(data: Uint8Array): number {
  const [p1, p2, p3, p4, p5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1];
  const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  let at = 0;
  let hash: number;
  if (data.length >= 16) {
    const lanes = [p1 + p2 | 0, p2 | 0, 0, -p1 | 0];
    for (; at + 16 <= data.length; at += 16) {
      lanes.forEach((lane, index) => {
        const word = view.getUint32(at + 4 * index, true);
        lanes[index] = Math.imul(rotate(lane + Math.imul(word, p2) | 0, 13), p1);
      });
    }
    const [a = 0, b = 0, c = 0, d = 0] = lanes;
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
  } else hash = p5;
  hash = (hash + data.length) | 0;
  for (; at + 4 <= data.length; at += 4) {
    hash = Math.imul(rotate(hash + Math.imul(view.getUint32(at, true), p3) | 0, 17), p4);
  }
  for (; at < data.length; at++) {
    hash = Math.imul(rotate(hash + Math.imul(view.getUint8(at), p5) | 0, 11), p1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** A frame of one compressed block, taken from `frame`, with further settings. */
function reframe(
  frame: Uint8Array,
  plain: Uint8Array,
  settings: { blockChecksum?: "compressed" | "plain"; size?: boolean; contentChecksum?: boolean },
): Uint8Array {
  const { blockChecksum, size = false, contentChecksum = true } = settings;
  const length = new DataView(frame.buffer, frame.byteOffset).getUint32(7, true);
  assert(length < 0x80000000, "the block must be a compressed one");
  const block = frame.subarray(11, 11 + length);
  const flags = 0x60 | (blockChecksum ? 0x10 : 0) | (size ? 8 : 0) | (contentChecksum ? 4 : 0);
  const descriptor = [flags, 0x70, ...(size ? [...u32(plain.length), 0, 0, 0, 0] : [])];
  const checked = blockChecksum === "plain" ? plain : block;
  return Uint8Array.from([
    ...frame.subarray(0, 4),
    ...descriptor,
    (xxh32(Uint8Array.from(descriptor)) >>> 8) & 0xff,
    ...u32(length),
    ...block,
    ...(blockChecksum ? u32(xxh32(checked)) : []),
    0,
    0,
    0,
    0,
    ...(contentChecksum ? u32(xxh32(plain)) : []),
  ]);
}

Deno.test("plakar reads LZ4 frames by their specification, block checksums included", async (t) => {
  await using workspace = await Workspace.make();
  const repository = workspace.at("repository");
  let id = "";
  {
    await using plakar = await Plakar.start();
    await plakar.create(repository);
    id = await plakar.backupStream(repository, "x", prose(1000, 1));
  }
  const [path = ""] = await Array.fromAsync(filesUnder(`${repository}/states`));
  const file = await Deno.readFile(path);
  const { version, payload } = splitEnvelope(file, ResourceType.STATE, 0x10100);
  const kernels = await Kernels.load();
  const plain = kernels.decompress(payload, 1 << 20);
  const mac = await macOf(repository);
  const cases = [
    { name: "as plakar writes it", settings: {}, accepted: true },
    { name: "with the content's size", settings: { size: true }, accepted: true },
    { name: "without a content checksum", settings: { contentChecksum: false }, accepted: true },
    {
      name: "with block checksums by the LZ4 specification",
      settings: { blockChecksum: "compressed" },
      accepted: true,
    },
    {
      name: "with block checksums of the plain data",
      settings: { blockChecksum: "plain" },
      accepted: false,
    },
  ] as const;
  for (const { name, settings, accepted } of cases) {
    await t.step(`${accepted ? "accepts" : "refuses"} a state ${name}`, async () => {
      const frame = reframe(payload, plain, settings);
      await Deno.writeFile(path, encodeEnvelope(ResourceType.STATE, version, frame, mac));
      // A home of its own: a state that has been read once is not read again.
      await using plakar = await Plakar.start();
      const { code, stdout } = await plakar.tryRun(repository, ["ls", "-uuid"]);
      const listed = code === 0 && new TextDecoder().decode(stdout).includes(id);
      assertEquals(listed, accepted);
    });
  }
});
